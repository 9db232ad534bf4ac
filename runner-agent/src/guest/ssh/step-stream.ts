import { GuestMisbehaved, type StepEvent } from '../guest.ts'
import { parseStepOutcome } from './step-outcome.ts'

const endOfEnding = Buffer.from('\n\n')
const mostEndingBytes = 4 * 1024

/** Takes the launcher's output apart again: each step's own output, and how each ended. */
export class StepStream {
  private held: Buffer = Buffer.alloc(0)
  private readonly delimiter: Buffer

  /** `delimiter` is a line that no output holds; the first step is number `index`. */
  constructor(
    delimiter: string,
    private index: number,
  ) {
    this.delimiter = Buffer.from(`${delimiter}\n`)
  }

  /** What has become certain with this chunk. Throws GuestMisbehaved when a step's ending has no end. */
  push(chunk: Buffer): StepEvent[] {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    const events: StepEvent[] = []
    for (;;) {
      const at = this.held.indexOf(this.delimiter)
      if (at < 0) {
        this.give(this.held.length - this.mayBegin(), events)
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

  /** Where an ending that begins at `start` is over; null while it is not whole. */
  private endOf(start: number): number | null {
    // With nothing to say it is the empty line alone.
    if (this.held[start] === 0x0a) return start + 1
    const at = this.held.indexOf(endOfEnding, start)
    return at < 0 ? null : at + endOfEnding.length
  }

  private give(length: number, events: StepEvent[]): void {
    if (length <= 0) return
    events.push({ kind: 'output', index: this.index, chunk: this.held.subarray(0, length) })
    this.held = this.held.subarray(length)
  }

  /** How many bytes at the end may be the beginning of the delimiter. */
  private mayBegin(): number {
    const most = Math.min(this.held.length, this.delimiter.length - 1)
    for (let length = most; length > 0; length -= 1) {
      if (this.held.subarray(-length).equals(this.delimiter.subarray(0, length))) return length
    }
    return 0
  }
}
