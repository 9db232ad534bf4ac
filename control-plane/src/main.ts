import { setTimeout as delay } from 'node:timers/promises'
import { HearthError, toError } from '@hearth/foundation'
import { pino } from 'pino'
import { composeControlPlane } from './compose.ts'
import { readConfig } from './config.ts'
import { serveControlPlane } from './serve.ts'

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ name: 'control-plane', level: config.logLevel })
  const controlPlane = await composeControlPlane(config, log)
  const served = await serveControlPlane(controlPlane, config).catch((error: unknown) => {
    log.fatal({ err: toError(error) }, 'cannot listen')
    process.exit(1)
  })
  for (const [protocol, listener] of [
    ['http', served.plain],
    ['https', served.secure],
  ] as const) {
    if (listener === null) continue
    const { address, port } = listener.address
    log.info({ protocol, address, port }, 'listening')
  }
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    const handedOver = controlPlane.drain()
    await delay(config.drainMilliseconds)
    await handedOver
    await controlPlane.stop(served.close())
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
