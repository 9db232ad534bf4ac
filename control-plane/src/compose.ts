import { type Clock, EventLoopWatch, stallLog, systemClock, toError } from '@hearth/foundation'
import { Allowance, connectMessaging, type Messaging } from '@hearth/messaging'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { type Application, createApplication } from './api/application.ts'
import { addDocumentation } from './api/documentation.ts'
import { EventBells } from './api/event-bells.ts'
import { addHealth } from './api/health.ts'
import { Metrics } from './api/metrics.ts'
import { OpenStreams } from './api/open-streams.ts'
import { RequestRates } from './api/request-rates.ts'
import { SenderRates } from './api/sender-rates.ts'
import type { Services } from './api/services.ts'
import { UploadSlots } from './api/upload-slots.ts'
import type { Config } from './config.ts'
import { connectDatabase, type Database } from './database/connection.ts'
import { Encryption } from './database/encryption.ts'
import { loadEncryptionKey } from './database/encryption-key.ts'
import { migrate } from './database/migrate.ts'
import { Notifications } from './database/notifications.ts'
import { Turns } from './database/turns.ts'
import { takeIn } from './delivery/intake.ts'
import { logProblems } from './delivery/problems.ts'
import { publishCommitted } from './delivery/publisher.ts'
import { StreamKeeper } from './delivery/stream-keeper.ts'
import { dialects } from './dialects/index.ts'
import * as kindList from './kinds/kinds.ts'
import { bootstrap, CertificateAuthorities, checkEncryptionKey } from './kinds/organization/index.ts'
import { Listening, Revocations } from './kinds/runner/index.ts'
import { Authentication, TokenUse, TokenWatch } from './kinds/token/index.ts'
import { Outgoing } from './outgoing/index.ts'
import { releaseAbandonedJobs } from './reconciling/abandoned.ts'
import { watchClock } from './reconciling/clock-watch.ts'
import { prepareQueue, startReconcileQueue } from './reconciling/queue.ts'
import type { Kind, KindTools } from './resource/define.ts'
import { eachKind } from './resource/each-kind.ts'
import { defaultTimings, stallMilliseconds, type Timings } from './timings.ts'
import { SecureIdentity } from './tls/secure-identity.ts'
import type { WorkKind } from './work/work-kind.ts'

export const version = '0.1.0'
const kinds: readonly Kind[] = Object.values(kindList)
/** The kinds of work that runners do. */
const workKindsOfHearth: readonly WorkKind[] = kinds.flatMap(({ work }) => work ?? [])
const idempotencyKeyMilliseconds = 24 * 3_600_000

export interface ControlPlane {
  application: Application
  services: Services
  /** The certificate for HTTPS; null where none is served. */
  secureIdentity: SecureIdentity | null
  /**
   * Begins to shut down: readiness fails and background work goes to the other replicas. Requests are answered as
   * before. Resolves when no background work is running; safe to call again.
   */
  drain(): Promise<void>
  /**
   * Ends the streams and running work, then closes all connections once `answered` resolves, when no request needs one.
   */
  stop(answered?: Promise<void>): Promise<void>
}

/** Replacements for tests. */
interface Overrides {
  clock?: Clock
  timings?: Partial<Timings>
  connect?: typeof connectMessaging
  workKinds?: readonly WorkKind[]
}

/** Builds the object graph and starts its loops. */
export async function composeControlPlane(
  config: Config,
  log: Logger,
  overrides: Overrides = {},
): Promise<ControlPlane> {
  const clock = overrides.clock ?? systemClock
  const timings = { ...defaultTimings, ...overrides.timings }
  const workKinds = overrides.workKinds ?? workKindsOfHearth
  const draining = new AbortController()
  const stopping = new AbortController()
  const metrics = new Metrics()
  const logStall = stallLog((fields, text) => log.warn(fields, text))
  const eventLoop = new EventLoopWatch({
    stallMilliseconds,
    onStall: (stall) => {
      metrics.stallSeconds.observe({ cause: stall.cause }, stall.milliseconds / 1000)
      logStall(stall)
    },
  })
  const encryption = new Encryption(loadEncryptionKey(config.encryptionKeyFile))
  const lost = (error: Error) => log.warn({ err: error }, 'a database connection was lost')
  const { database, pool, close } = connectDatabase(config.databaseUrl, lost, config.databaseConnections)
  const { applied, unknown } = await migrate(config.databaseUrl)
  if (applied.length > 0) log.info({ migrations: applied }, 'migrated the database')
  if (unknown.length > 0)
    log.warn({ migrations: unknown }, 'the database schema is newer than this version; continuing with it')
  await prepareQueue(pool)
  if (config.bootstrapToken !== null) await bootstrap(database, encryption, config.bootstrapToken)
  await checkEncryptionKey(database, encryption)

  const { secure } = config
  const secureIdentity =
    secure === null
      ? null
      : await SecureIdentity.prepare({ database, encryption, clock, log, hosts: secure.hosts })

  const listening = new Listening(clock)
  let streams: StreamKeeper | null = null
  const messaging = await (overrides.connect ?? connectMessaging)({
    servers: config.nats.servers,
    ...(config.nats.credentials === null ? {} : { credentials: config.nats.credentials }),
    name: 'control-plane',
    ...(config.nats.replicas === null ? {} : { replicas: config.nats.replicas }),
    events: config.events,
    work: workKinds.map(({ messages }) => messages),
    onStatus: (status, detail) => {
      listening.note(status)
      if (status === 'reconnected') streams?.check()
      log.info({ status, detail }, 'status of the connection to NATS')
    },
    onProblem: logProblems(log, metrics, new Allowance({ perSecond: 0.2, burst: 10 })),
  })
  await messaging.ensureStreams()
  const tools: KindTools = { database, messaging, clock, log }
  const makeAgain = kinds.flatMap(({ whenNatsReturns }) =>
    whenNatsReturns === undefined ? [] : (signal: AbortSignal) => whenNatsReturns(tools, signal),
  )
  streams = new StreamKeeper({ messaging, log, makeAgain, signal: draining.signal })
  streams.check()
  const notifications = new Notifications(config.databaseUrl, lost)
  await notifications.start()

  const revocations = new Revocations({
    database,
    clock,
    servers: config.nats.servers,
    keys: config.nats.revocation,
    log,
  })
  const tokenWatch = new TokenWatch(database, notifications, log)
  const services: Services = {
    database,
    encryption,
    notifications,
    messaging,
    outgoing: new Outgoing(config.repositoryHosts),
    clock,
    timings,
    quotas: config.quotas,
    turns: new Turns(Math.ceil(config.databaseConnections * 0.75)),
    streams: new OpenStreams((tokenId, onEnd) => tokenWatch.watch(tokenId, onEnd)),
    uploads: new UploadSlots(),
    rates: new RequestRates(clock),
    senderRates: new SenderRates(clock, config.senders),
    eventBells: new EventBells(database, notifications, log),
    authorities: new CertificateAuthorities(encryption),
    secureAccess: null,
    listening,
    revocations,
    eventRetention: config.events,
    log,
    metrics,
    eventLoop,
    draining: draining.signal,
    stopping: stopping.signal,
    runnerMessaging: {
      servers: config.nats.runnerServers,
      accountSeed: config.nats.accountSeed,
      credentialsMilliseconds: config.nats.runnerCredentialsMilliseconds,
    },
    observerMessaging: {
      accountSeed: config.nats.observerSeed,
      isOpen: config.nats.credentials === null,
    },
  }
  notifications.on('hearth_tokens', () => {
    for (const { name, whenTokensEnd } of kinds)
      whenTokensEnd?.(tools).catch((error: unknown) =>
        log.warn({ err: toError(error), kind: name }, 'could not end what depends on ended tokens'),
      )
  })
  const application = composeApplication(services)
  const queue = await startReconcileQueue({
    pool,
    database,
    clock,
    timings,
    reconcilers: kinds.flatMap((kind) => kind.reconcilers?.(services) ?? []),
    housekeeping: {
      hourly: async () => {
        await eachKind(kinds, (kind) => kind.everyHour?.(services), log)
        await forgetIdempotencyKeys(database, clock)
      },
      everyMinute: async () => {
        await eachKind(kinds, (kind) => kind.everyMinute?.(services), log)
      },
    },
    log,
    measure: (kind, seconds, outcome) => {
      eventLoop.note(`reconcile ${kind}`)
      metrics.reconcileSeconds.observe({ kind, outcome }, seconds)
    },
  })
  const eventsWentBack = async (end: number) => {
    for (const { whenEventsGoBack } of kinds) await whenEventsGoBack?.(tools, end)
  }
  const mendTimes = () => {
    for (const { name, whenClockGoesBack } of kinds)
      whenClockGoesBack?.(tools).catch((error: unknown) =>
        log.warn(
          { err: toError(error), kind: name },
          'could not mend what was written by a clock that ran ahead',
        ),
      )
  }
  const stopWatchingClock = watchClock(clock, (milliseconds) => {
    log.warn({ milliseconds }, 'the clock of this machine was set back')
    mendTimes()
  })
  mendTimes()
  const stopReleasing = releaseAbandonedJobs(database, timings, log)
  const loops = Promise.all([
    loop('publisher', publishCommitted({ ...services, workKinds, eventsWentBack }, draining.signal), log),
    loop('intake', takeIn({ ...services, workKinds }, draining.signal), log),
  ])
  const handOver = async () => {
    stopReleasing()
    stopWatchingClock()
    await Promise.all([queue.stop(), loops])
  }
  let handedOver: Promise<void> | undefined
  const drain = () => {
    draining.abort()
    handedOver ??= handOver()
    return handedOver
  }
  return {
    application,
    services,
    secureIdentity,
    drain,
    stop: async (answered = Promise.resolve()) => {
      stopping.abort()
      await Promise.all([drain(), answered])
      await closeQuietly(messaging, log)
      await notifications.close()
      await close()
      secureIdentity?.[Symbol.dispose]()
      eventLoop[Symbol.dispose]()
    },
  }
}

function composeApplication(services: Services): Application {
  const { database, clock, log } = services
  const authentication = new Authentication(database, services.notifications, clock, services.quotas)
  const tokenUse = new TokenUse(database, clock)
  const authenticate = async (secret: string, client: string) => {
    const caller = await authentication.authenticate(secret)
    if (caller !== null) {
      tokenUse.note(caller.tokenId, client).catch((error: unknown) => {
        log.warn({ err: toError(error) }, 'could not store the last use of a token')
      })
    }
    return caller
  }
  const application = createApplication(services, authenticate, (created) => {
    for (const { openRoutes } of kinds) for (const addRoute of openRoutes ?? []) addRoute(created, services)
  })
  addHealth(application, services)
  for (const { routes } of kinds) for (const addRoute of routes) addRoute(application, services)
  for (const dialect of dialects) dialect.add(application, services, authenticate)
  addDocumentation(application, version, dialects)
  return application
}

async function forgetIdempotencyKeys(database: Database, clock: Clock): Promise<void> {
  const before = new Date(clock.now().getTime() - idempotencyKeyMilliseconds)
  await sql`DELETE FROM idempotency_keys WHERE created_at < ${before}`.execute(database)
}

async function loop(name: string, running: Promise<void>, log: Logger): Promise<void> {
  try {
    await running
  } catch (error) {
    log.fatal({ err: toError(error), loop: name }, 'a loop that must not end has ended')
    process.exitCode = 1
    process.kill(process.pid, 'SIGTERM')
  }
}

async function closeQuietly(messaging: Messaging, log: Logger): Promise<void> {
  await messaging
    .close()
    .catch((error: unknown) => log.warn({ err: toError(error) }, 'could not close the connection to NATS'))
}
