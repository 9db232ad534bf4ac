import { rootCertificatePath } from '@hearth/contract'
import { adminSocket, gateSocket, type IngressSettings, type ListenAddress } from '../settings.ts'

/** Under this host name alone Caddy takes orders on its socket. */
export const adminHost = 'hearth'

const headerBytes = 32 * 1024
const second = 1_000_000_000

/**
 * The whole of Caddy's configuration. It names no route: each request is shown to the agent first, which says where it goes, so
 * that a route that comes or goes changes nothing here. Caddy ends upgraded connections whenever its configuration changes.
 */
export function caddyConfig(settings: IngressSettings, askPort: number): object {
  const { https, http, folder } = settings
  return {
    admin: { listen: `unix/${adminSocket(settings)}`, origins: [adminHost], config: { persist: false } },
    storage: { module: 'file_system', root: `${folder}/data` },
    logging: { logs: { default: { level: 'WARN' } } },
    apps: {
      http: {
        http_port: http?.port ?? 80,
        https_port: https.port,
        servers: {
          routes: routesServer(settings),
          ...(http === null ? {} : { plain: plainServer(settings, http) }),
          ask: askServer(settings, askPort),
        },
      },
      tls: tlsApp(settings, askPort),
      pki: { certificate_authorities: { local: { install_trust: false } } },
    },
  }
}

const address = ({ host, port }: ListenAddress) => `${host.includes(':') ? `[${host}]` : host}:${port}`

function common(listen: string) {
  return {
    listen: [listen],
    protocols: ['h1', 'h2'],
    max_header_bytes: headerBytes,
    read_header_timeout: 30 * second,
    // Of connections on which no request is under way; what is under way may take as long as it takes.
    idle_timeout: 300 * second,
    automatic_https: { disable: true },
  }
}

function routesServer(settings: IngressSettings): object {
  return {
    ...common(address(settings.https)),
    tls_connection_policies: [{}],
    routes: [{ handle: [withoutSpoofs, check(settings), toGuest], terminal: true }],
    errors: { routes: [{ handle: [askGate(settings, '/failed')] }] },
  }
}

/**
 * What only this proxy may say to the agent and to guests, however it is spelled: some servers read `X_Forwarded_For` as the
 * same.
 */
const withoutSpoofs = {
  handler: 'headers',
  request: {
    delete: ['X-Hearth-*', '*forwarded*', '*real-ip*', '*real_ip*', 'X-Original-*', 'X-Rewrite-Url', 'Proxy'],
  },
}

const told = (name: string) => `{http.reverse_proxy.header.${name}}`
const isTold = (name: string) => ({ expression: `${told(name)} != null && ${told(name)} != ''` })
const when = (name: string, request: object) => ({
  match: [isTold(name)],
  handle: [{ handler: 'headers', request }],
})

/** Asks the agent; a request that it does not let through has its answer. */
function askGate(settings: IngressSettings, uri: string): Record<string, unknown> {
  return {
    handler: 'reverse_proxy',
    upstreams: [{ dial: `unix/${gateSocket(settings)}` }],
    // An agent that is started anew is waited for.
    load_balancing: { try_duration: 10 * second, try_interval: second / 20 },
    transport: {
      protocol: 'http',
      dial_timeout: 2 * second,
      compression: false,
      keep_alive: { idle_timeout: 60 * second, max_idle_conns_per_host: 64 },
    },
    rewrite: { method: 'GET', uri },
    headers: {
      request: {
        set: {
          'X-Hearth-Method': ['{http.request.method}'],
          'X-Hearth-Uri': ['{http.request.uri}'],
          'X-Hearth-Host': ['{http.request.host}'],
          'X-Hearth-Error': ['{http.error.status_code}'],
        },
      },
    },
  }
}

/** What only Hearth may see is taken out of what the agent lets through. */
function check(settings: IngressSettings): object {
  return {
    ...askGate(settings, '/check'),
    handle_response: [
      {
        match: { status_code: [200] },
        routes: [
          when('X-Hearth-Cookie', { set: { Cookie: [told('X-Hearth-Cookie')] } }),
          when('X-Hearth-Drop-Cookie', { delete: ['Cookie'] }),
          when('X-Hearth-Drop-Authorization', { delete: ['Authorization'] }),
        ],
      },
    ],
  }
}

const toGuest = {
  handler: 'reverse_proxy',
  upstreams: [{ dial: told('X-Hearth-Upstream') }],
  // Each piece soon, also of an answer that takes its time. With -1 Caddy would not leave a guest when its client has left.
  flush_interval: second / 1000,
  transport: {
    protocol: 'http',
    dial_timeout: 5 * second,
    compression: false,
    max_response_header_size: 64 * 1024,
    keep_alive: { idle_timeout: 30 * second, max_idle_conns_per_host: 64 },
  },
}

/** Sends on to HTTPS, and gives the certificate of Caddy's own authority to whoever wants to trust it. */
function plainServer(settings: IngressSettings, http: ListenAddress): object {
  return {
    ...common(address(http)),
    routes: [
      { match: [{ path: [rootCertificatePath] }], handle: [askGate(settings, '/root')], terminal: true },
      { handle: [askGate(settings, '/plain')] },
    ],
  }
}

/** Where Caddy itself asks whether it may get a certificate for a host name: it can ask no socket. */
function askServer(settings: IngressSettings, port: number): object {
  return {
    ...common(`127.0.0.1:${port}`),
    routes: [{ handle: [askGate(settings, '/ask?{http.request.uri.query}')] }],
  }
}

function tlsApp({ authority, base }: IngressSettings, askPort: number): object {
  const onDemand = { ask: `http://127.0.0.1:${askPort}/` }
  if (authority.kind === 'internal') {
    const subjects = [`*.${base}`]
    const issuers = [{ module: 'internal' }]
    return {
      certificates: { automate: subjects },
      automation: {
        on_demand: onDemand,
        policies: [
          { subjects, issuers },
          { on_demand: true, issuers },
        ],
      },
    }
  }
  const { email, directory, rootPath } = authority
  const issuer = {
    module: 'acme',
    ...(email === null ? {} : { email }),
    ...(directory === null ? {} : { ca: directory }),
    ...(rootPath === null ? {} : { trusted_roots_pem_files: [rootPath] }),
  }
  return { automation: { on_demand: onDemand, policies: [{ on_demand: true, issuers: [issuer] }] } }
}
