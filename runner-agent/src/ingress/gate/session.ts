import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** The cookie of a browser that was let in: for one host name, over HTTPS alone. */
export const sessionCookie = '__Host-hearth'

const sessionSchema = z.strictObject({
  routeId: z.uuid(),
  /** What let it in: the ticket of a member, by their token, or the token of the route, by its digest. */
  by: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ticket'), tokenId: z.uuid() }),
    z.strictObject({ kind: z.literal('token'), digest: z.string() }),
  ]),
  /** Seconds since 1970. */
  endsAt: z.int(),
})
export type Session = z.infer<typeof sessionSchema>

const mostBytes = 2_048

/** Signed with a key that does not leave the host: on another one a browser has to be let in again. */
export class Sessions {
  constructor(private readonly key: Buffer) {}

  sign(session: Session): string {
    const payload = Buffer.from(JSON.stringify(session)).toString('base64url')
    return `${payload}.${this.mac(payload).toString('base64url')}`
  }

  /** Null for what this host has not signed, or what has ended. */
  open(value: string, nowSeconds: number): Session | null {
    if (value.length > mostBytes) return null
    const [payload = '', mac = '', ...more] = value.split('.')
    const given = Buffer.from(mac, 'base64url')
    const right = this.mac(payload)
    if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return null
    const parsed = sessionSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    return parsed.success && parsed.data.endsAt > nowSeconds ? parsed.data : null
  }

  private mac(payload: string): Buffer {
    return createHmac('sha256', this.key).update(`hearth session v1\n${payload}`).digest()
  }
}

/** As it is set in a browser. */
export function setCookie(value: string, maxAgeSeconds: number): string {
  return `${sessionCookie}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; Secure; SameSite=Lax`
}

export interface SplitCookies {
  /** The values of Hearth's cookie; a browser sends one. */
  own: string[]
  /** What is left for the guest. */
  others: string
}

/** Takes Hearth's cookie out of what a browser sends. */
export function splitCookies(header: string): SplitCookies {
  const own: string[] = []
  const others: string[] = []
  for (const part of header.split(';')) {
    const pair = part.trim()
    const at = pair.indexOf('=')
    if (at >= 0 && pair.slice(0, at).trim() === sessionCookie) own.push(pair.slice(at + 1).trim())
    else if (pair !== '') others.push(pair)
  }
  return { own, others: others.join('; ') }
}
