import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { GuestStep, Origin } from '../guest.ts'
import { programEvents } from './program-events.ts'
import { buildLauncher } from './step-launcher.ts'
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
  return programEvents(shells, {
    program: buildLauncher(launched, origin, delimiter),
    purpose: 'the steps',
    input: Buffer.concat(open),
    read: (chunk) => stream.push(chunk),
    ...{ origin, signal },
  })
}
