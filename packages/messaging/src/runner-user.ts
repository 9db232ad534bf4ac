import { createHmac } from 'node:crypto'
import { fromSeed, type KeyPair } from '@nats-io/jwt'

/** Prefix bytes of a user's seed in NATS' encoding: seed, then user. */
const userSeedPrefix = [0x95, 0x00]
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * The key pair of a runner's NATS user, derived and therefore always the same: by its public key everything signed
 * for the runner can be revoked, and nothing has to be stored.
 */
export function runnerUser(runnerAccountSeed: string, runnerId: string): KeyPair {
  const raw = createHmac('sha256', runnerAccountSeed).update(`hearth runner ${runnerId}`).digest()
  const bytes = [...userSeedPrefix, ...raw]
  const checksum = crc16(bytes)
  return fromSeed(new TextEncoder().encode(base32([...bytes, checksum & 0xff, checksum >> 8])))
}

/** The public key by which the runner is revoked. */
export function runnerUserKey(runnerAccountSeed: string, runnerId: string): string {
  return runnerUser(runnerAccountSeed, runnerId).getPublicKey()
}

/** Base32 of RFC 4648 without padding. */
function base32(bytes: readonly number[]): string {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.match(/.{1,5}/g) ?? []
  return letters.map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** CRC-16/XMODEM, as it stands at the end of NATS keys. */
function crc16(bytes: readonly number[]): number {
  let checksum = 0
  for (const byte of bytes) {
    checksum ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1)
      checksum = (checksum & 0x8000) === 0 ? (checksum << 1) & 0xffff : ((checksum << 1) ^ 0x1021) & 0xffff
  }
  return checksum
}
