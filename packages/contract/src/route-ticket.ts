import { z } from 'zod'
import { idSchema } from './resource.ts'

/** What a ticket says: who may enter which route, until when, and for how long. Times in seconds since 1970. */
export const ticketClaimsSchema = z.strictObject({
  id: idSchema,
  routeId: idSchema,
  /** The token of the member it was made for: when that ends, so does what it let in. */
  tokenId: idSchema,
  expiresAt: z.int().positive(),
  sessionEndsAt: z.int().positive(),
})
export type TicketClaims = z.infer<typeof ticketClaimsSchema>

/** The longest ticket that is looked at. */
export const mostTicketBytes = 2_048

/** Where a proxy answers for Hearth itself, on each host name. */
export const ownPath = '/.hearth/'
export const enterPath = `${ownPath}enter`
export const rootCertificatePath = `${ownPath}root.crt`

/** What is signed: the words before it keep a signature from serving for anything else. */
export const signedText = (payload: string): string => `hearth route ticket v1\n${payload}`

/** The parameter of an address that carries the token of a route. */
export const tokenParameter = 'hearth_token'
export const routeTokenPrefix = 'hearthroute_'
