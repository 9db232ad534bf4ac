import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { toError } from '@hearth/foundation'
import type { Execution } from '../../secure-shell/connection.ts'
import { type GuestStep, type Origin, StaleInGuest } from '../guest.ts'
import { buildLauncher } from './step-launcher.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'
import { StepStream } from './step-stream.ts'
import type { WaitingShells } from './waiting-shell.ts'

/**
 * Starts the steps that are not known to have ended and returns their events as a stream of `StepEvent`. The stream
 * fails when the connection is lost or the signal aborts, with StaleInGuest when the guest was worked on under a
 * newer epoch or generation and a step had not begun, and with GuestMisbehaved. While nobody reads the stream, the
 * guest has to wait.
 */
export async function launch(
  shells: WaitingShells,
  steps: readonly GuestStep[],
  scripts: readonly Buffer[],
  known: { index: number; offset: number },
  origin: Origin,
  signal: AbortSignal,
): Promise<Readable> {
  const delimiter = `hearth-${randomBytes(16).toString('hex')}`
  const open = scripts.slice(known.index)
  const launched = open.map((script, index) => ({
    key: steps[known.index + index]?.key ?? '',
    scriptBytes: script.length,
    offset: index === 0 ? known.offset : 0,
  }))
  const stream = new StepStream(delimiter, known.index)
  let said = ''
  const events: Readable = new Readable({
    objectMode: true,
    read: () => execution.resume(),
    destroy: (error, callback) => {
      execution.close()
      callback(error)
    },
  })
  const execution: Execution = await shells.execute(buildLauncher(launched, origin, delimiter), {
    input: Buffer.concat(open),
    purpose: 'the steps',
    mostBytes: null,
    onStdout: (chunk) => {
      try {
        for (const event of stream.push(chunk)) if (!events.push(event)) execution.pause()
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
      else events.destroy(new Error(`the steps could not be started (exit ${code})`))
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
