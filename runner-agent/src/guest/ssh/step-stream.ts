import { GuestMisbehaved, type StepEvent } from '../guest.ts'
import { partialDelimiter } from './partial-delimiter.ts'
import { parseStepOutcome } from './step-outcome.ts'

const endOfEnding = Buffer.from('\n\n')
const mostEndingBytes = 4 * 1024

/** Splits the launcher's output into each step's own output and its outcome. */
export class StepStream {
  private held: Buffer = Buffer.alloc(0)
  private readonly delimiter: Buffer

  /** `delimiter` is a line that no output contains; `index` is the number of the first step. */
  constructor(
    delimiter: string,
    private index: number,
  ) {
    this.delimiter = Buffer.from(`${delimiter}\n`)
  }

  /** Returns the events that this chunk completes. Throws GuestMisbehaved when a step's outcome is too long. */
  push(chunk: Buffer): StepEvent[] {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    const events: StepEvent[] = []
    for (;;) {
      const at = this.held.indexOf(this.delimiter)
      if (at < 0) {
        this.give(this.held.length - partialDelimiter(this.held, this.delimiter), events)
        return events
      }
      const ending = at + this.delimiter.length
      const end = this.endOf(ending)
      if (end === null) {
        if (this.held.length - ending <= mostEndingBytes) return events
        throw new GuestMisbehaved(
          `the guest answered with more than ${mostEndingBytes} bytes to how a step ended`,
        )
      }
      this.give(at, events)
      const text = this.held.subarray(this.delimiter.length, end - at).toString('utf8')
      events.push({ kind: 'outcome', index: this.index, outcome: parseStepOutcome(text) })
      this.index += 1
      this.held = this.held.subarray(end - at)
    }
  }

  /** End of the outcome that begins at `start`; null while it is incomplete. */
  private endOf(start: number): number | null {
    // An empty outcome is the empty line alone.
    if (this.held[start] === 0x0a) return start + 1
    const at = this.held.indexOf(endOfEnding, start)
    return at < 0 ? null : at + endOfEnding.length
  }

  private give(length: number, events: StepEvent[]): void {
    if (length <= 0) return
    events.push({ kind: 'output', index: this.index, chunk: this.held.subarray(0, length) })
    this.held = this.held.subarray(length)
  }
}
