import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { toError } from '@hearth/foundation'
import type { Execution } from '../../secure-shell/connection.ts'
import { GuestMisbehaved, type Origin, StaleInGuest } from '../guest.ts'
import type { GuestRun } from '../process.ts'
import { buildRunLauncher } from './process-launcher.ts'
import type { ProcessPaths } from './process-paths.ts'
import { ProcessStream } from './process-stream.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'
import type { WaitingShells } from './waiting-shell.ts'

/**
 * Starts a run unless it is known, and returns its events from an offset on as a stream of `RunEvent`. The stream fails when
 * the connection is lost or the signal aborts, with StaleInGuest when the guest was worked on under a newer epoch or
 * generation and the run had not begun, and with GuestMisbehaved. While nobody reads the stream, the guest has to wait.
 */
export async function followRun(
  shells: WaitingShells,
  run: GuestRun,
  offset: number,
  origin: Origin,
  paths: ProcessPaths,
  signal: AbortSignal,
): Promise<Readable> {
  const delimiter = `hearth-${randomBytes(16).toString('hex')}`
  const stream = new ProcessStream(delimiter, offset)
  let said = ''
  const events: Readable = new Readable({
    objectMode: true,
    read: () => execution.resume(),
    destroy: (error, callback) => {
      execution.close()
      callback(error)
    },
  })
  const execution: Execution = await shells.execute(buildRunLauncher(run, offset, origin, delimiter, paths), {
    purpose: 'a run',
    mostBytes: null,
    onStdout: (chunk) => {
      try {
        for (const event of stream.push(chunk)) {
          if (event.kind === 'ended' && event.run.number !== run.number) {
            throw new GuestMisbehaved(`the guest ended run ${event.run.number} when asked for ${run.number}`)
          }
          if (!events.push(event)) execution.pause()
        }
      } catch (thrown) {
        events.destroy(toError(thrown))
      }
    },
    onStderr: (chunk) => {
      said += chunk.toString('utf8')
    },
    signal,
  })
  execution.exitCode.then(
    (code) => {
      if (code === 0) events.push(null)
      else if (code === staleExitCode) events.destroy(stale(said, origin))
      else events.destroy(new Error(`the run could not be started (exit ${code})`))
    },
    (thrown: unknown) => events.destroy(toError(thrown)),
  )
  return events
}

function stale(said: string, origin: Origin): Error {
  try {
    return new StaleInGuest(parseStaleNumbers(said), origin)
  } catch (thrown) {
    return toError(thrown)
  }
}
