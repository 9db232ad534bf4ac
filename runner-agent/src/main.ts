import './module-globals.ts'
import { toError } from '@hearth/foundation'
import { runAgent, supersededHint } from './agent.ts'
import { compose, createLogger } from './compose.ts'
import { readConfig } from './config.ts'

/** An exit code of its own: restarting this agent would take the runner back from the newer one. */
const supersededExitCode = 3

async function main(): Promise<number> {
  const config = readConfig(process.env)
  const log = createLogger(config)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping; guests keep running')
      stop.abort(new Error(`${signal} came`))
    })
  }
  try {
    const end = await runAgent(await compose(config, log), stop.signal)
    log.info({ end }, 'stopped')
    if (end === 'stopped') return 0
    process.stderr.write(`hearth runner agent: ended for good: ${supersededHint}\n`)
    return supersededExitCode
  } catch (thrown) {
    if (stop.signal.aborted) return 0
    throw thrown
  }
}

main().then(
  (exitCode) => process.exit(exitCode),
  (thrown: unknown) => {
    process.stderr.write(`hearth runner agent: ${toError(thrown).message}\n`)
    process.exit(1)
  },
)
