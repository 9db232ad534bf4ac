import { createHash, randomBytes } from 'node:crypto'

/** Path of the random seed in a guest, the same in every image. */
export const randomSeedPath = '/var/lib/hearth/seed/random'

/** 64 random bytes as one line of text, so that a shell can read it back without a program. */
export function newRandomSeed(): string {
  return randomBytes(64).toString('hex')
}

/** Digest of a random seed, to recognise it later. */
export function digestRandomSeed(seed: string): string {
  return createHash('sha256').update(seed).digest('hex')
}
