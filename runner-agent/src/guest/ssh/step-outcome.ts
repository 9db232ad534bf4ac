import { GuestMisbehaved, type StepOutcome } from '../guest.ts'
import { guestMilliseconds } from './guest-time.ts'
import { shown } from './shown.ts'

/**
 * Parses a step's outcome from the `name value` lines that the launcher printed. A missing or unreadable value is
 * never taken for a number: without an exit code the step counts as lost.
 */
export function parseStepOutcome(text: string): StepOutcome {
  const said = new Map(
    text.split('\n').map((line): [string, string] => {
      const blank = line.indexOf(' ')
      return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1).trim()]
    }),
  )
  const exit = said.get('exit')
  if (exit === undefined) return { kind: 'lost', reason: 'cut_short' }
  const exitCode = wholeNumber(exit, 255)
  const startedAt = guestMilliseconds(said.get('started'))
  const finishedAt = guestMilliseconds(said.get('finished'))
  if (exitCode === null || startedAt === null || finishedAt === null) return unreadable
  const times = { startedAt, finishedAt }
  if (said.has('skipped')) return { kind: 'skipped', times }
  const failed = said.get('failed')
  if (exitCode === 0) return failed === undefined ? { kind: 'succeeded', times } : unreadable
  const [, index, cause, limit] = /^(\d{1,4}) (exit|deadline|disk) (\d{1,9})$/.exec(failed ?? '') ?? []
  if (!isCause(cause)) return unreadable
  return { kind: 'failed', exitCode, command: Number(index), cause, limitSeconds: Number(limit), times }
}

const unreadable: StepOutcome = { kind: 'lost', reason: 'unreadable' }

const isCause = (text: string | undefined): text is 'exit' | 'deadline' | 'disk' =>
  text === 'exit' || text === 'deadline' || text === 'disk'

/** Parses the newest epoch and generation that the guest printed when it refused older ones. */
export function parseStaleNumbers(text: string): { epoch: number; generation: number } {
  const [, epoch, generation] = /^stale (\d{1,10}) (\d{1,10})$/m.exec(text) ?? []
  if (epoch === undefined || generation === undefined) {
    throw new GuestMisbehaved(
      `the guest refused an order and said "${shown(text)}", which names no newer one`,
    )
  }
  return { epoch: Number(epoch), generation: Number(generation) }
}

/** A decimal number as it is written, or null. */
export function wholeNumber(text: string, most: number): number | null {
  if (!/^\d{1,15}$/.test(text)) return null
  const value = Number(text)
  return value <= most ? value : null
}
