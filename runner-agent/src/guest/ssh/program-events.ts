import { Readable } from 'node:stream'
import { toError } from '@hearth/foundation'
import type { Execution } from '../../secure-shell/connection.ts'
import { type Origin, StaleInGuest } from '../guest.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { staleExitCode } from './step-script.ts'
import type { WaitingShells } from './waiting-shell.ts'

export interface EventProgram {
  program: string
  /** What is started, as in `the steps`. */
  purpose: string
  input?: Buffer
  /** The events that a chunk of the program's output completes. */
  read(chunk: Buffer): readonly object[]
  origin: Origin
  signal: AbortSignal
}

/**
 * Runs a program whose output is events, and returns them as a stream of objects. The stream fails when the connection is
 * lost or the signal aborts, with StaleInGuest when the program says that the guest was worked on under a newer epoch or
 * generation, and with what `read` throws. While nobody reads the stream, the guest has to wait.
 */
export async function programEvents(
  shells: WaitingShells,
  { program, purpose, input, read, origin, signal }: EventProgram,
): Promise<Readable> {
  let said = ''
  const events: Readable = new Readable({
    objectMode: true,
    read: () => execution.resume(),
    destroy: (error, callback) => {
      execution.close()
      callback(error)
    },
  })
  const execution: Execution = await shells.execute(program, {
    ...(input === undefined ? {} : { input }),
    purpose,
    mostBytes: null,
    onStdout: (chunk) => {
      try {
        for (const event of read(chunk)) if (!events.push(event)) execution.pause()
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
      else events.destroy(new Error(`${purpose} could not be started (exit ${code})`))
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
