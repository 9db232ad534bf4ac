import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { mostTicketBytes, signedText, type TicketClaims, ticketClaimsSchema } from '@hearth/contract'

/** What an Ed25519 public key has before its 32 bytes as SubjectPublicKeyInfo. */
const keyPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Throws for what is no key. */
export function ticketKey(base64: string): KeyObject {
  const key = Buffer.concat([keyPrefix, Buffer.from(base64, 'base64')])
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

/** What a ticket says; null where the control plane has not signed it with the key of this route, or it has ended. */
export function openTicket(
  text: string,
  { id, ticketKey: key }: { id: string; ticketKey: string },
  nowSeconds: number,
): TicketClaims | null {
  if (text.length > mostTicketBytes) return null
  const [payload = '', signature = '', ...more] = text.split('.')
  if (more.length > 0) return null
  const isSigned = verify(
    null,
    Buffer.from(signedText(payload)),
    ticketKey(key),
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) return null
  const { success, data } = ticketClaimsSchema.safeParse(
    JSON.parse(Buffer.from(payload, 'base64url').toString()),
  )
  return success && data.routeId === id && data.expiresAt > nowSeconds ? data : null
}
