import { setTimeout as delay } from 'node:timers/promises'
import type { LogChunk } from '@hearth/contract'
import { backoff, type Clock } from '@hearth/foundation'
import type { Logger } from 'pino'

const chunkBytes = 32 * 1024
const usualMilliseconds = 200
/** Limit of buffered output while it cannot be sent; output beyond it is left out of the live log. */
const queueBytes = 8 * 1024 * 1024

export interface LogTarget {
  publishLog(runnerId: string, chunk: LogChunk): Promise<void>
}

/** Sends one step's output in pieces: at most 32 KiB each, by default about five per second, in order. */
export class LogPublisher {
  private pending = ''
  private pendingOffset = 0
  private ended = false
  private timer: NodeJS.Timeout | null = null
  private sending: Promise<void> = Promise.resolve()
  private queuedBytes = 0

  constructor(
    private readonly target: LogTarget,
    private readonly runnerId: string,
    private readonly step: Pick<LogChunk, 'environmentId' | 'step'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly signal: AbortSignal,
    /** How long output waits for more. */
    private readonly intervalMilliseconds = usualMilliseconds,
  ) {}

  readonly add = (text: string, offset: number): void => {
    const bytes = Buffer.byteLength(text)
    if (this.queuedBytes + bytes > queueBytes) {
      this.flush()
      this.log.warn(
        { ...this.step, offset, bytes },
        'output left out of the live log: it cannot be sent fast enough',
      )
      return
    }
    if (this.pending === '') this.pendingOffset = offset
    this.pending += text
    this.queuedBytes += bytes
    if (Buffer.byteLength(this.pending) >= chunkBytes) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), this.intervalMilliseconds)
  }

  /** Sends the rest and marks the end; resolves when it is stored or the signal aborts. */
  end(totalBytes: number): Promise<void> {
    this.ended = true
    if (this.pending === '') this.pendingOffset = totalBytes
    this.flush()
    return this.sending
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    const pieces = split(this.pending, chunkBytes)
    if (pieces.length === 0 && this.ended) pieces.push('')
    let offset = this.pendingOffset
    this.pending = ''
    pieces.forEach((text, index) => {
      const end = this.ended && index === pieces.length - 1
      const chunk = { ...this.step, offset, text, end, time: this.clock.now().toISOString() }
      offset += Buffer.byteLength(text)
      this.sending = this.sending.then(() => this.send(chunk))
    })
  }

  private async send(chunk: LogChunk): Promise<void> {
    for (let attempt = 0; !this.signal.aborted; attempt += 1) {
      try {
        await this.target.publishLog(this.runnerId, chunk)
        break
      } catch (thrown) {
        this.log.debug({ ...this.step, error: thrown }, 'output chunk not stored yet; retrying')
        const wait = backoff(attempt, { first: 200, most: 10_000 })
        await delay(wait, undefined, { signal: this.signal }).catch(() => undefined)
      }
    }
    this.queuedBytes -= Buffer.byteLength(chunk.text)
  }
}

/** Splits a text into pieces of at most `most` bytes of UTF-8, between characters. */
export function split(text: string, most: number): string[] {
  const bytes = Buffer.from(text)
  const pieces: string[] = []
  for (let from = 0; from < bytes.length; ) {
    let to = Math.min(from + most, bytes.length)
    // A byte 10xxxxxx continues the character before it.
    while (to < bytes.length && to > from + 1 && ((bytes[to] ?? 0) & 0xc0) === 0x80) to -= 1
    pieces.push(bytes.toString('utf8', from, to))
    from = to
  }
  return pieces
}
