import { type Clock, systemClock, toError } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { type Application, createApplication } from './api/application.ts'
import { addDocumentation } from './api/documentation.ts'
import { addHealth } from './api/health.ts'
import { Metrics } from './api/metrics.ts'
import type { Services } from './api/services.ts'
import type { Config } from './config.ts'
import { connectDatabase, type Database } from './database/connection.ts'
import { Encryption } from './database/encryption.ts'
import { loadEncryptionKey } from './database/encryption-key.ts'
import { migrate } from './database/migrate.ts'
import { Notifications } from './database/notifications.ts'
import { takeIn } from './delivery/intake.ts'
import { publishCommitted } from './delivery/publisher.ts'
import { addClaimRoutes, claimReconciler } from './kinds/claim/index.ts'
import { addDeclarationRoutes } from './kinds/declaration/index.ts'
import {
  addEnvironmentRoutes,
  environmentReconciler,
  forgetDeletedEnvironments,
} from './kinds/environment/index.ts'
import { addEnvironmentClassRoutes } from './kinds/environment-class/index.ts'
import { addEventRoutes, forgetEvents } from './kinds/event/index.ts'
import { addJobRoutes, forgetJobs } from './kinds/job/index.ts'
import { addOrganizationRoutes, bootstrap, CertificateAuthorities } from './kinds/organization/index.ts'
import { addProjectRoutes, projectReconciler } from './kinds/project/index.ts'
import { addRunnerRoutes, runnerReconciler } from './kinds/runner/index.ts'
import { Authentication, addTokenRoutes, TokenUse } from './kinds/token/index.ts'
import { addWarmPoolRoutes, warmPoolReconciler } from './kinds/warm-pool/index.ts'
import { releaseAbandonedJobs } from './reconciling/abandoned.ts'
import { prepareQueue, startReconcileQueue } from './reconciling/queue.ts'

export const version = '0.1.0'
const keepMilliseconds = { record: 7 * 24 * 3_600_000, idempotencyKey: 24 * 3_600_000 }

export interface ControlPlane {
  application: Application
  services: Services
  /** Ends the streams and the work under way, then every connection. */
  stop(): Promise<void>
}

/** Builds the object graph and starts its loops; `overrides` are for tests. */
export async function composeControlPlane(
  config: Config,
  log: Logger,
  overrides: { clock?: Clock } = {},
): Promise<ControlPlane> {
  const clock = overrides.clock ?? systemClock
  const stopping = new AbortController()
  const metrics = new Metrics()
  const encryption = new Encryption(loadEncryptionKey(config.encryptionKeyFile))
  const lost = (error: Error) => log.warn({ err: error }, 'a database connection was lost')
  const { database, pool, close } = connectDatabase(config.databaseUrl, lost, config.databaseConnections)
  const applied = await migrate(database)
  if (applied.length > 0) log.info({ migrations: applied }, 'migrated the database')
  await prepareQueue(pool)
  if (config.bootstrapToken !== null) await bootstrap(database, encryption, config.bootstrapToken)

  const messaging = await connectMessaging({
    servers: config.nats.servers,
    ...(config.nats.credentials === null ? {} : { credentials: config.nats.credentials }),
    name: 'control-plane',
    onStatus: (status, detail) => log.info({ status, detail }, 'messaging'),
  })
  await messaging.ensureStreams()
  const notifications = new Notifications(config.databaseUrl, lost)
  await notifications.start()

  const services: Services = {
    database,
    encryption,
    notifications,
    messaging,
    clock,
    log,
    metrics,
    stopping: stopping.signal,
    runnerMessaging: { servers: config.nats.runnerServers, accountSeed: config.nats.accountSeed },
  }
  const application = composeApplication(services)
  const queue = await startReconcileQueue({
    pool,
    database,
    clock,
    reconcilers: [
      runnerReconciler,
      environmentReconciler,
      warmPoolReconciler,
      claimReconciler,
      projectReconciler,
    ],
    housekeeping: () => keepHouse(database, clock),
    log,
    observe: (kind, seconds, outcome) => metrics.reconcileSeconds.observe({ kind, outcome }, seconds),
  })
  const stopReleasing = releaseAbandonedJobs(database, log)
  const loops = Promise.all([
    loop('publisher', publishCommitted(services, stopping.signal), log),
    loop('intake', takeIn(services, stopping.signal), log),
  ])
  return {
    application,
    services,
    stop: async () => {
      stopping.abort()
      stopReleasing()
      await queue.stop()
      await loops
      await closeQuietly(messaging, log)
      await notifications.close()
      await close()
    },
  }
}

function composeApplication(services: Services): Application {
  const { database, clock, log } = services
  const authorities = new CertificateAuthorities(services.encryption)
  const authentication = new Authentication(database, services.notifications, clock)
  const tokenUse = new TokenUse(database, clock)
  const application = createApplication(services, async (secret) => {
    const caller = await authentication.authenticate(secret)
    if (caller !== null) {
      tokenUse.note(caller.tokenId).catch((error: unknown) => {
        log.warn({ err: toError(error) }, 'could not note the use of a token')
      })
    }
    return caller
  })
  addHealth(application, services)
  addOrganizationRoutes(application, services)
  addTokenRoutes(application, services)
  addRunnerRoutes(application, services)
  addEnvironmentClassRoutes(application, services)
  addProjectRoutes(application, services)
  addDeclarationRoutes(application, services)
  addEnvironmentRoutes(application, services, authorities)
  addWarmPoolRoutes(application, services)
  addClaimRoutes(application, services, authorities)
  addJobRoutes(application, services)
  addEventRoutes(application, services)
  addDocumentation(application, version)
  return application
}

/** Removes what has been kept long enough. */
async function keepHouse(database: Database, clock: Clock): Promise<void> {
  const record = new Date(clock.now().getTime() - keepMilliseconds.record)
  await forgetEvents(database, record)
  await forgetJobs(database, record)
  await forgetDeletedEnvironments(database, record)
  const idempotencyKey = new Date(clock.now().getTime() - keepMilliseconds.idempotencyKey)
  await sql`DELETE FROM idempotency_keys WHERE created_at < ${idempotencyKey}`.execute(database)
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
    .catch((error: unknown) => log.warn({ err: toError(error) }, 'closing the messaging failed'))
}
