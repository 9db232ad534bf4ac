import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import { defaultQuotas, type QuotaLimits } from '@hearth/contract'
import { type Config, type ControlPlane, composeControlPlane, serveControlPlane } from '@hearth/control-plane'
import { newId } from '@hearth/foundation'
import { createTestDatabase, startTestNats, type TestDatabase, type TestNats } from '@hearth/testing'
import { type Logger, pino } from 'pino'

/** A control plane on a real PostgreSQL and a real nats-server, with its administrator's client. */
export interface Installation extends AsyncDisposable {
  url: string
  token: string
  client: HearthClient
  controlPlane: ControlPlane
  database: TestDatabase
  nats: TestNats
  folder: string
}

type Overrides = NonNullable<Parameters<typeof composeControlPlane>[2]>

export interface InstallationOptions {
  overrides?: Overrides
  log?: Logger
  /** When absent, NATS is not told of deleted runners. */
  revokesRunners?: boolean
  /** How long a runner's credentials for NATS are valid. */
  runnerCredentialsMilliseconds?: number
  events?: Partial<Config['events']>
  quotas?: { [Whose in keyof QuotaLimits]?: Partial<QuotaLimits[Whose]> }
  repositoryHosts?: Config['repositoryHosts']
  senders?: Partial<Config['senders']>
  /** Names and addresses beside those of this host, where HTTPS is served. */
  secureHosts?: string[]
}

export async function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-system-'))
  const database = await createTestDatabase()
  const nats = await startTestNats({ authorization: true })
  const token = `hearth_${newId()}`
  const shared = { token, database, nats, folder }
  const replica = await startReplica(shared, options)
  return {
    ...shared,
    ...replica,
    async [Symbol.asyncDispose]() {
      await replica.stop()
      await nats[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A control plane with its client; `stop` leaves database and NATS as they are. */
export interface Replica {
  url: string
  client: HearthClient
  controlPlane: ControlPlane
  stop(): Promise<void>
}

/** One more control plane on the database, the NATS server and the keys of an installation. */
export async function startReplica(
  { token, database, nats, folder }: Pick<Installation, 'token' | 'database' | 'nats' | 'folder'>,
  {
    overrides,
    log = pino({ level: process.env.HEARTH_TEST_LOG ?? 'silent' }),
    events,
    quotas,
    runnerCredentialsMilliseconds = 3_600_000,
    revokesRunners = true,
    repositoryHosts = [],
    senders,
    secureHosts,
  }: InstallationOptions = {},
): Promise<Replica> {
  const here = { host: '127.0.0.1', port: 0 }
  const secure = secureHosts === undefined ? null : { listen: here, hosts: secureHosts }
  const controlPlane = await composeControlPlane(
    {
      databaseUrl: database.url,
      databaseConnections: 20,
      nats: {
        servers: [nats.url],
        credentials: nats.controlPlaneCredentials ?? null,
        accountSeed: nats.accountSeed ?? null,
        observerSeed: nats.observerSeed ?? null,
        revocation: revokesRunners ? (nats.revocation ?? null) : null,
        runnerServers: [nats.url],
        runnerCredentialsMilliseconds,
        replicas: null,
      },
      listen: here,
      secure,
      drainMilliseconds: 0,
      encryptionKeyFile: join(folder, 'encryption.key'),
      bootstrapToken: token,
      repositoryHosts,
      senders: { requestsPerSecond: 1_000, trustedProxies: [], ...senders },
      quotas: {
        organization: { ...defaultQuotas.organization, ...quotas?.organization },
        principal: { ...defaultQuotas.principal, ...quotas?.principal },
      },
      events: { keepMilliseconds: 7 * 24 * 3_600_000, keepCount: 200_000, ...events },
      logLevel: 'silent',
    },
    log,
    overrides,
  )
  const served = await serveControlPlane(controlPlane, { listen: here, secure })
  const url = `http://127.0.0.1:${served.plain.address.port}`
  return {
    url,
    client: new HearthClient({ url, token }),
    controlPlane,
    async stop() {
      const closed = served.close()
      await controlPlane.stop()
      await closed
    },
  }
}
