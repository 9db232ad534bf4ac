import { HearthError, toError } from '@hearth/foundation'
import { serve } from '@hono/node-server'
import { pino } from 'pino'
import { composeControlPlane } from './compose.ts'
import { readConfig } from './config.ts'

/** Open streams get this long to end by themselves when the program stops. */
const graceMilliseconds = 2_000

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ name: 'control-plane', level: config.logLevel })
  const controlPlane = await composeControlPlane(config, log)
  const server = serve(
    { fetch: controlPlane.application.fetch, hostname: config.listen.host, port: config.listen.port },
    (info) => log.info({ address: info.address, port: info.port }, 'listening'),
  )
  server.on('error', (error: Error) => {
    log.fatal({ err: error }, 'cannot listen')
    process.exit(1)
  })
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    const grace = setTimeout(
      () => 'closeAllConnections' in server && server.closeAllConnections(),
      graceMilliseconds,
    )
    await controlPlane.stop()
    await closed
    clearTimeout(grace)
    log.info('stopped')
    process.exit()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.fatal({ err: toError(error) }, 'could not stop cleanly')
        process.exit(1)
      })
    })
  }
}

main().catch((error: unknown) => {
  const message = error instanceof HearthError ? error.message : (toError(error).stack ?? String(error))
  process.stderr.write(`hearth control plane: ${message}\n`)
  process.exit(1)
})
