/** Where a repository's server is, and how git is made to connect to one address of it and to no other. */
export interface RepositoryAddress {
  protocol: 'https' | 'http' | 'git'
  host: string
  port: number
  pinned(address: string): PinnedUrl
}

export interface PinnedUrl {
  url: string
  settings: readonly string[]
  environment: Readonly<Record<string, string>>
}

const defaultPorts = { https: 443, http: 80, git: 9418 } as const

/** null for a URL that the control plane does not ask: SSH needs a key, a file or another program's URL is nobody's server. */
export function repositoryAddress(url: string): RepositoryAddress | null {
  const parsed = parse(url)
  if (parsed === null) return null
  switch (parsed.protocol) {
    case 'https:':
    case 'http:': {
      const protocol = parsed.protocol === 'https:' ? 'https' : 'http'
      const at = { protocol, host: hostOf(parsed), port: portOf(parsed, protocol) } as const
      return {
        ...at,
        pinned: (address) => ({
          url: parsed.href,
          settings: [`http.curloptResolve=${at.host}:${at.port}:${address}`],
          environment: {},
        }),
      }
    }
    case 'git:': {
      const at = { protocol: 'git', host: decoded(hostOf(parsed)), port: portOf(parsed, 'git') } as const
      return {
        ...at,
        pinned: (address) => ({
          url: `git://${address.includes(':') ? `[${address}]` : address}:${at.port}${parsed.pathname}`,
          settings: [],
          // The server gets the host name as it was written.
          environment: { GIT_OVERRIDE_VIRTUAL_HOST: parsed.host },
        }),
      }
    }
    default:
      return null
  }
}

function parse(url: string): URL | null {
  try {
    const parsed = new URL(url)
    return parsed.hostname === '' ? null : parsed
  } catch {
    return null
  }
}

const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '')
const portOf = ({ port }: URL, protocol: keyof typeof defaultPorts) =>
  port === '' ? defaultPorts[protocol] : Number(port)

function decoded(host: string): string {
  try {
    return decodeURIComponent(host)
  } catch {
    return host
  }
}
