import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Application } from './application.ts'
import type { Services } from './services.ts'

/** Timeout of a health probe's query. */
const patienceMilliseconds = 3_000

/** Live: the process answers. Ready: it can do its work, or says what it lacks. Both are open, as probes need. */
export function addHealth(application: Application, services: Services): void {
  application.get('/healthz/live', (context) => context.json({ status: 'live' }))
  application.get('/healthz/ready', async (context) => {
    const checks = {
      database: await databaseState(services),
      messaging: services.messaging.isConnected() ? 'ready' : 'not connected to NATS',
      program: services.draining.aborted ? 'stopping' : 'ready',
    }
    const ready = Object.values(checks).every((state) => state === 'ready')
    return context.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503)
  })
  application.get('/metrics', async (context) => {
    services.metrics.messagingConnected.set(services.messaging.isConnected() ? 1 : 0)
    const { registry } = services.metrics
    return context.body(await registry.metrics(), 200, { 'Content-Type': registry.contentType })
  })
}

async function databaseState({ database, log }: Services): Promise<string> {
  const late = new AbortController()
  const inTime = delay(patienceMilliseconds, 'does not answer in time', { signal: late.signal })
  try {
    const asked = sql`SELECT 1`.execute(database).then(() => 'ready')
    return await Promise.race([asked, inTime])
  } catch (error) {
    // The error's text holds the database's address and user, which a public probe must not show.
    log.warn({ err: toError(error) }, 'the database does not answer a probe')
    return 'does not answer'
  } finally {
    inTime.catch(() => undefined)
    late.abort()
  }
}
