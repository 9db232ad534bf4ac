import { composeControlPlane, readConfig } from '@hearth/control-plane'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { serve } from '@hono/node-server'
import { pino } from 'pino'
import { breakClaims, breakOrders } from './breaks.ts'
import { countDatabaseWrites } from './database-writes.ts'
import { KillSwitch } from './kill-switch.ts'
import { jumpingClock, tell, whenStarted } from './parent.ts'
import { controlPlaneTimings, messagingTimings } from './timings.ts'

const start = await whenStarted()
const killSwitch = new KillSwitch(start.kill)
countDatabaseWrites(killSwitch, breakClaims(start.break))
const config = readConfig(start.environment)
const controlPlane = await composeControlPlane(config, pino({ level: config.logLevel }), {
  clock: jumpingClock,
  timings: controlPlaneTimings,
  connect: async (options) => {
    const messaging = await connectMessaging({ ...options, timings: messagingTimings })
    return counted(breakOrders(start.break, messaging))
  },
})
serve({ fetch: controlPlane.application.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  tell({ type: 'listening', port }),
)

/**
 * Every message sent counts as a write, and so does each report received: once before it is handled, and once after,
 * when only the acknowledgement is missing.
 */
function counted(messaging: Messaging): Messaging {
  return killSwitch.around(
    {
      ...messaging,
      consumeReports: (handle, signal, concurrency) =>
        messaging.consumeReports((report) => killSwitch.write(() => handle(report)), signal, concurrency),
      serveSync: (handle, signal) =>
        messaging.serveSync(
          (request, mostBytes) => killSwitch.write(() => handle(request, mostBytes)),
          signal,
        ),
    },
    ['ensureStreams', 'ensureRunner', 'removeRunner', 'publishOrder', 'purgeOrder', 'publishEvent'],
  )
}
