import { setTimeout as delay } from 'node:timers/promises'
import { HearthError, toError } from '@hearth/foundation'
import { pino } from 'pino'
import { listen } from './api/listen.ts'
import { composeControlPlane } from './compose.ts'
import { readConfig } from './config.ts'

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ name: 'control-plane', level: config.logLevel })
  const controlPlane = await composeControlPlane(config, log)
  const listener = await listen(controlPlane.application, config.listen).catch((error: unknown) => {
    log.fatal({ err: toError(error) }, 'cannot listen')
    process.exit(1)
  })
  log.info({ address: listener.address.address, port: listener.address.port }, 'listening')
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    const handedOver = controlPlane.drain()
    await delay(config.drainMilliseconds)
    await handedOver
    await controlPlane.stop(listener.close())
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
