import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { listenAddress } from './listen-address.ts'

/** A domain of at least two parts: browsers take no certificate for all names of one part. */
export const ingressDomain = z
  .string()
  .regex(
    /^(?=.{3,189}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/,
    'a domain in lower-case letters, as in apps.example.com or hearth.localhost',
  )

/** Where requests without TLS are taken, or `none`. */
export const httpListen = z
  .union([z.literal('none').transform(() => null), listenAddress])
  .prefault('0.0.0.0:80')

/** Ports of servers as most frameworks choose them. */
const usualPorts =
  '80,443,1313,3000-3009,4000-4009,4173,4200,4321,5000-5009,5173-5182,6006,7000-7009,7860,8000-8099,8443,8501,8787,8888,9000-9009,9090'
const mostPorts = 512
const mostPort = 9_999

/** Ranges of ports, as in `3000-3009,8080`, or `none`. */
export const guestPorts = z
  .string()
  .default(usualPorts)
  .transform((text, context) => {
    if (text === 'none') return []
    const ranges = text.split(',').map((part) => {
      const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? []
      return { first: Number(first), last: Number(last) }
    })
    const isRight = ranges.every(({ first, last }) => first >= 1 && first <= last && last <= mostPort)
    const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0)
    if (isRight && count <= mostPorts) return ranges
    context.addIssue({
      code: 'custom',
      message: `"${text.slice(0, 200)}" is not at most ${mostPorts} ports from 1 to ${mostPort}, as in 3000-3009,8080`,
    })
    return z.NEVER
  })

/** Servers that answer on ports of synthetic guests: `3000=127.0.0.1:4000,…`. */
export const syntheticPorts = z
  .string()
  .default('')
  .transform((text, context) =>
    text
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part) => {
        const [, port = '', host = '', other = ''] = /^(\d{1,5})=([\d.]+):(\d{1,5})$/.exec(part.trim()) ?? []
        if (!isIPv4(host))
          context.addIssue({
            code: 'custom',
            message: `"${part}" is not PORT=ADDRESS:PORT, as in 3000=127.0.0.1:4000`,
          })
        return { port: Number(port), at: { host, port: Number(other) } }
      }),
  )

interface Given {
  HEARTH_INGRESS_DOMAIN?: string | undefined
  HEARTH_INGRESS_LISTEN: { host: string; port: number }
  HEARTH_INGRESS_HTTP_LISTEN: { host: string; port: number } | null
  HEARTH_INGRESS_AUTHORITY?: 'acme' | 'internal' | undefined
  HEARTH_INGRESS_ACME_EMAIL?: string | undefined
  HEARTH_INGRESS_ACME_DIRECTORY?: string | undefined
  HEARTH_INGRESS_ACME_ROOT?: string | undefined
  HEARTH_INGRESS_ASK_PORT?: number | undefined
  HEARTH_DOMAIN_RESOLVER?: { host: string; port: number } | undefined
  HEARTH_INGRESS_CADDY: string
  HEARTH_INGRESS_STOPS: boolean
}

/** How routes are served; null where they are not. */
export function ingressOf(given: Given) {
  const { HEARTH_INGRESS_DOMAIN: base } = given
  if (base === undefined) return null
  const authority = given.HEARTH_INGRESS_AUTHORITY ?? (isPublic(base) ? 'acme' : 'internal')
  return {
    base,
    https: given.HEARTH_INGRESS_LISTEN,
    http: given.HEARTH_INGRESS_HTTP_LISTEN,
    authority:
      authority === 'internal'
        ? ({ kind: 'internal' } as const)
        : ({
            kind: 'acme',
            email: given.HEARTH_INGRESS_ACME_EMAIL ?? null,
            directory: given.HEARTH_INGRESS_ACME_DIRECTORY ?? null,
            rootPath: given.HEARTH_INGRESS_ACME_ROOT ?? null,
          } as const),
    askPort: given.HEARTH_INGRESS_ASK_PORT ?? null,
    resolver: given.HEARTH_DOMAIN_RESOLVER ?? null,
    program: given.HEARTH_INGRESS_CADDY,
    stopsWithAgent: given.HEARTH_INGRESS_STOPS,
  }
}

/** Whether an authority on the internet can see it: not below what is reserved for private use. */
const isPublic = (domain: string) => !/\.(localhost|local|internal|lan|test|home\.arpa)$/.test(domain)
