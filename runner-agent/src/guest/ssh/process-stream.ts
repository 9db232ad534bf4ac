import { GuestMisbehaved } from '../guest.ts'
import type { RunEvent } from '../process.ts'
import { guestMilliseconds } from './guest-time.ts'
import { partialDelimiter } from './partial-delimiter.ts'
import { parseKnownRun } from './process-known.ts'
import { shown } from './shown.ts'
import { wholeNumber } from './step-outcome.ts'

const newline = 0x0a
const endOfEnding = Buffer.from('\n\n')
const mostRecordBytes = 4 * 1024

/** Splits what the follower prints into a run's output and the records between its bytes. */
export class ProcessStream {
  private held: Buffer = Buffer.alloc(0)
  private readonly delimiter: Buffer
  /** Offset of the next byte that comes. One before `position` was delivered already. */
  private arriving: number

  /** `delimiter` is text that no output contains; `position` is the offset of the next byte that is wanted. */
  constructor(
    delimiter: string,
    private position: number,
  ) {
    this.delimiter = Buffer.from(`${delimiter} `)
    this.arriving = position
  }

  /** Returns the events that this chunk completes. Throws GuestMisbehaved where a record cannot be. */
  push(chunk: Buffer): RunEvent[] {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    const events: RunEvent[] = []
    for (;;) {
      const at = this.held.indexOf(this.delimiter)
      if (at < 0) {
        this.give(this.held.length - partialDelimiter(this.held, this.delimiter), events)
        return events
      }
      this.give(at, events)
      const record = this.takeRecord()
      if (record === null) return events
      const event = this.read(record)
      if (event !== null) events.push(event)
    }
  }

  /** The record that what is held begins with, without its delimiter; null while it is incomplete. */
  private takeRecord(): string | null {
    const start = this.delimiter.length
    const isEnding = this.held.toString('latin1', start, start + 6) === 'ended\n'
    const end = isEnding ? this.held.indexOf(endOfEnding, start) + 1 : this.held.indexOf(newline, start)
    if (end > 0) {
      const record = this.held.toString('utf8', start, end)
      this.held = this.held.subarray(end + 1)
      return record
    }
    if (this.held.length > mostRecordBytes) {
      throw new GuestMisbehaved(`the guest sent a record of more than ${mostRecordBytes} bytes about a run`)
    }
    return null
  }

  private read(record: string): RunEvent | null {
    if (record.startsWith('ended\n')) {
      const run = parseKnownRun(record.slice('ended\n'.length))
      if (run.ending === null) throw new GuestMisbehaved('the guest said that a run has ended, and not how')
      return { kind: 'ended', run, outputBytes: this.position }
    }
    const [, name, value = ''] = /^(at|ready) (.*)$/.exec(record) ?? []
    const offset = name === 'at' ? wholeNumber(value, Number.MAX_SAFE_INTEGER) : null
    if (offset !== null) {
      this.arriving = offset
      return null
    }
    const at = name === 'ready' ? guestMilliseconds(value) : null
    if (at !== null) return { kind: 'ready', at }
    throw new GuestMisbehaved(`the guest said "${shown(record)}" about a run, which is nothing it could say`)
  }

  private give(length: number, events: RunEvent[]): void {
    if (length <= 0) return
    const known = Math.min(length, Math.max(0, this.position - this.arriving))
    const chunk = this.held.subarray(known, length)
    if (chunk.length > 0) events.push({ kind: 'output', offset: this.arriving + known, chunk })
    this.arriving += length
    this.position = Math.max(this.position, this.arriving)
    this.held = this.held.subarray(length)
  }
}
