import { isAddress, isWithin, type Network, parseNetwork } from '../network.ts'

/** One entry of `HEARTH_REPOSITORY_HOSTS`: an address range or host that an operator lets the control plane call. */
export type AllowedHost =
  | { kind: 'host'; host: string; port: number | null }
  | { kind: 'suffix'; suffix: string }
  | ({ kind: 'network' } & Network)

const name = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/

/** `HOST`, `HOST:PORT`, `*.SUFFIX`, an address, `[ADDRESS]:PORT` or a network like 10.0.0.0/8; null for anything else. */
export function parseAllowedHost(text: string): AllowedHost | null {
  const entry = text.trim().toLowerCase()
  if (entry.startsWith('*.'))
    return name.test(entry.slice(2)) ? { kind: 'suffix', suffix: entry.slice(1) } : null
  const network = parseNetwork(entry)
  if (network !== null) return { kind: 'network', ...network }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? null : Number(digits)
  if (host === undefined || (port !== null && (port < 1 || port > 65_535))) return null
  if (bracketed !== undefined ? !isAddress(bracketed) : !name.test(host)) return null
  return { kind: 'host', host, port }
}

/** Whether an operator allows calls to this address of this host. */
export function isAllowed(
  allowed: readonly AllowedHost[],
  target: { host: string; port: number },
  address: string,
): boolean {
  const host = target.host.toLowerCase().replace(/\.$/, '')
  return allowed.some((entry) => {
    switch (entry.kind) {
      case 'host':
        return entry.host === host && (entry.port === null || entry.port === target.port)
      case 'suffix':
        return host.endsWith(entry.suffix)
      case 'network':
        return isWithin(address, entry)
      default:
        return entry satisfies never
    }
  })
}
