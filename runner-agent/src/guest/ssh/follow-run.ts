import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ProcessPaths } from '../bash/process-paths.ts'
import { GuestMisbehaved, type Origin } from '../guest.ts'
import type { GuestRun } from '../process.ts'
import { buildRunLauncher } from './process-launcher.ts'
import { ProcessStream } from './process-stream.ts'
import { programEvents } from './program-events.ts'
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
  const read = (chunk: Buffer) => {
    const events = stream.push(chunk)
    for (const event of events)
      if (event.kind === 'ended' && event.run.number !== run.number)
        throw new GuestMisbehaved(`the guest ended run ${event.run.number} when asked for ${run.number}`)
    return events
  }
  const program = buildRunLauncher(run, offset, origin, delimiter, paths)
  return programEvents(shells, { program, purpose: 'the run', read, origin, signal })
}
