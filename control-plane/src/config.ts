import { readFileSync } from 'node:fs'
import { defaultQuotas, faultsOf, type QuotaLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { RevocationKeys } from '@hearth/messaging'
import { z } from 'zod'
import { isAddress, type Network, parseNetwork } from './network.ts'
import { type AllowedHost, parseAllowedHost } from './outgoing/index.ts'

const listen = z
  .string()
  .regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'host:port')
  .transform((text) => {
    const at = text.lastIndexOf(':')
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
  })
const servers = z
  .string()
  .min(1)
  .transform((text) => text.split(',').map((server) => server.trim()))
const file = z.string().min(1)

/** Comma-separated `name=number`, `none` for no limit; a name that is not given keeps its default. */
const limits = <Name extends string>(defaults: Readonly<Record<Name, number | null>>) =>
  z.string().transform((text, context) => {
    const read = listOf(text).map((part) => /^(\w+)=(none|\d{1,9})$/.exec(part))
    if (read.some((match) => match === null || !Object.hasOwn(defaults, match[1] ?? ''))) {
      const names = Object.keys(defaults).join(', ')
      context.addIssue(`NAME=NUMBER or NAME=none, with commas between them; the names are ${names}`)
      return z.NEVER
    }
    const changes = read.map((match) => [match?.[1], match?.[2] === 'none' ? null : Number(match?.[2])])
    return { ...defaults, ...(Object.fromEntries(changes) as Partial<Record<Name, number | null>>) }
  })

/** What stands between commas. */
const listOf = (text: string) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

const allowedHosts = z.string().transform((text, context) =>
  listOf(text).flatMap((entry) => {
    const host = parseAllowedHost(entry)
    if (host !== null) return host
    const message = `HOST, HOST:PORT, *.SUFFIX, an address or a network, and not ${entry}`
    context.addIssue({ code: 'custom', message })
    return []
  }),
)

const networks = z.string().transform((text, context) =>
  listOf(text).flatMap((entry) => {
    const network = parseNetwork(entry)
    if (network !== null) return network
    context.addIssue({ code: 'custom', message: `an address or a network like 10.0.0.0/8, and not ${entry}` })
    return []
  }),
)

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const hosts = z.string().transform((text, context) =>
  listOf(text).flatMap((entry) => {
    if (isAddress(entry) || hostName.test(entry)) return entry
    context.addIssue({ code: 'custom', message: `a host name or an address, and not ${entry}` })
    return []
  }),
)

const settings = z.object({
  HEARTH_DATABASE_URL: z.string().min(1),
  HEARTH_DATABASE_CONNECTIONS: z.coerce.number().int().min(2).max(500).default(20),
  HEARTH_NATS_URL: servers,
  HEARTH_NATS_CREDENTIALS_FILE: file.optional(),
  HEARTH_NATS_ACCOUNT_SEED_FILE: file.optional(),
  HEARTH_NATS_OBSERVER_SEED_FILE: file.optional(),
  HEARTH_NATS_SIGNING_SEED_FILE: file.optional(),
  HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: file.optional(),
  HEARTH_RUNNER_NATS_URL: servers.optional(),
  HEARTH_RUNNER_CREDENTIALS_SECONDS: z.coerce.number().int().min(60).max(31_536_000).default(3_600),
  HEARTH_NATS_REPLICAS: z.coerce.number().int().min(1).max(5).optional(),
  HEARTH_DRAIN_SECONDS: z.coerce.number().min(0).max(600).default(2),
  HEARTH_LISTEN: listen.prefault('127.0.0.1:7070'),
  HEARTH_TLS_LISTEN: listen.optional(),
  HEARTH_TLS_HOSTS: hosts.prefault(''),
  HEARTH_ENCRYPTION_KEY_FILE: file,
  HEARTH_BOOTSTRAP_TOKEN_FILE: file.optional(),
  HEARTH_REPOSITORY_HOSTS: allowedHosts.prefault(''),
  HEARTH_TRUSTED_PROXIES: networks.prefault(''),
  HEARTH_OPEN_REQUESTS_PER_SECOND: z.coerce.number().min(1).max(1_000_000).default(20),
  HEARTH_EVENTS_KEEP_HOURS: z.coerce.number().positive().max(87_600).default(168),
  HEARTH_EVENTS_KEEP_COUNT: z.coerce.number().int().min(1_000).default(200_000),
  HEARTH_ORGANIZATION_QUOTAS: limits(defaultQuotas.organization).prefault(''),
  HEARTH_PRINCIPAL_QUOTAS: limits(defaultQuotas.principal).prefault(''),
  HEARTH_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

const schema = settings.superRefine((value, context) => {
  const { HEARTH_NATS_SIGNING_SEED_FILE: seed, HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: credentials } = value
  if (seed === undefined && credentials === undefined) return
  const needed = {
    HEARTH_NATS_ACCOUNT_SEED_FILE: value.HEARTH_NATS_ACCOUNT_SEED_FILE,
    HEARTH_NATS_SIGNING_SEED_FILE: seed,
    HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: credentials,
  }
  for (const [name, given] of Object.entries(needed)) {
    if (given !== undefined) continue
    const message = `needed to revoke runners: set all of ${Object.keys(needed).join(', ')}`
    context.addIssue({ code: 'custom', path: [name], message })
  }
})

export interface Config {
  databaseUrl: string
  databaseConnections: number
  nats: {
    servers: string[]
    credentials: string | null
    accountSeed: string | null
    observerSeed: string | null
    /** Keys that revoke deleted runners' NATS credentials; null where credentials only expire. */
    revocation: RevocationKeys | null
    runnerServers: string[]
    /** How long a runner's NATS credentials are valid; its agent renews them. */
    runnerCredentialsMilliseconds: number
    /** Replicas of each NATS stream; null leaves existing streams as they are. */
    replicas: number | null
  }
  listen: { host: string; port: number }
  /** Where HTTPS is served, and for which names and addresses beside this host's own; null for nowhere. */
  secure: { listen: { host: string; port: number }; hosts: string[] } | null
  /** How long requests are still accepted after readiness fails, for load balancers to notice. */
  drainMilliseconds: number
  encryptionKeyFile: string
  bootstrapToken: string | null
  /** Repository hosts that may be asked for branches although their address is not public. */
  repositoryHosts: AllowedHost[]
  /** What each address may ask of routes that are open to anybody, and whose word about addresses is believed. */
  senders: { requestsPerSecond: number; trustedProxies: Network[] }
  /** How long events are kept, and how many at most, in the database and in NATS. */
  events: { keepMilliseconds: number; keepCount: number }
  /** Default quotas of an organization and of each principal in it. */
  quotas: QuotaLimits
  logLevel: string
}

/** Reads the environment variables and reports all faults together. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const parsed = schema.safeParse(environment)
  if (!parsed.success) {
    const faults = faultsOf(schema, parsed.error.issues).map(({ path, expected, rule }) => {
      const field = path.join('.')
      return { field, given: environment[field] ?? 'nothing', expected, rule }
    })
    const lines = faults.map(({ field, given, rule }) => `  ${field}: ${rule}, got ${given}`)
    const details = faults.map(({ field, given, expected }) => ({ field, given, expected }))
    const message = `these environment variables are wrong:\n${lines.join('\n')}`
    throw new HearthError('invalid', message, { details })
  }
  const value = parsed.data
  return {
    databaseUrl: value.HEARTH_DATABASE_URL,
    databaseConnections: value.HEARTH_DATABASE_CONNECTIONS,
    nats: {
      servers: value.HEARTH_NATS_URL,
      credentials: readText(value.HEARTH_NATS_CREDENTIALS_FILE),
      accountSeed: readText(value.HEARTH_NATS_ACCOUNT_SEED_FILE)?.trim() ?? null,
      observerSeed: readText(value.HEARTH_NATS_OBSERVER_SEED_FILE)?.trim() ?? null,
      revocation: revocationKeys(value),
      runnerServers: value.HEARTH_RUNNER_NATS_URL ?? value.HEARTH_NATS_URL,
      runnerCredentialsMilliseconds: value.HEARTH_RUNNER_CREDENTIALS_SECONDS * 1_000,
      replicas: value.HEARTH_NATS_REPLICAS ?? null,
    },
    listen: value.HEARTH_LISTEN,
    secure:
      value.HEARTH_TLS_LISTEN === undefined
        ? null
        : { listen: value.HEARTH_TLS_LISTEN, hosts: value.HEARTH_TLS_HOSTS },
    drainMilliseconds: value.HEARTH_DRAIN_SECONDS * 1_000,
    encryptionKeyFile: value.HEARTH_ENCRYPTION_KEY_FILE,
    bootstrapToken: readText(value.HEARTH_BOOTSTRAP_TOKEN_FILE)?.trim() ?? null,
    repositoryHosts: value.HEARTH_REPOSITORY_HOSTS,
    senders: {
      requestsPerSecond: value.HEARTH_OPEN_REQUESTS_PER_SECOND,
      trustedProxies: value.HEARTH_TRUSTED_PROXIES,
    },
    events: {
      keepMilliseconds: value.HEARTH_EVENTS_KEEP_HOURS * 3_600_000,
      keepCount: value.HEARTH_EVENTS_KEEP_COUNT,
    },
    quotas: { organization: value.HEARTH_ORGANIZATION_QUOTAS, principal: value.HEARTH_PRINCIPAL_QUOTAS },
    logLevel: value.HEARTH_LOG_LEVEL,
  }
}

function revocationKeys(value: z.infer<typeof settings>): RevocationKeys | null {
  const runnerAccountSeed = readText(value.HEARTH_NATS_ACCOUNT_SEED_FILE)
  const signingSeed = readText(value.HEARTH_NATS_SIGNING_SEED_FILE)
  const systemCredentials = readText(value.HEARTH_NATS_SYSTEM_CREDENTIALS_FILE)
  if (runnerAccountSeed === null || signingSeed === null || systemCredentials === null) return null
  return { runnerAccountSeed: runnerAccountSeed.trim(), signingSeed: signingSeed.trim(), systemCredentials }
}

function readText(path: string | undefined): string | null {
  return path === undefined ? null : readFileSync(path, 'utf8')
}
