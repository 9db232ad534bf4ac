import { unlessAborted } from '../unless-aborted.ts'

/** One attempt that several callers wait for; it is called off when the last of them has left. */
export class SharedAttempt<Result> {
  private waiting = 0
  private readonly stop = new AbortController()
  private readonly result: Promise<Result>

  constructor(attempt: (signal: AbortSignal) => Promise<Result>) {
    this.result = attempt(this.stop.signal)
    // Nobody may wait any more when it fails.
    this.result.catch(() => undefined)
  }

  async join(signal: AbortSignal): Promise<Result> {
    this.waiting += 1
    try {
      return await unlessAborted(this.result, signal)
    } finally {
      this.waiting -= 1
      if (this.waiting === 0) this.cancel()
    }
  }

  /** Without effect once it has succeeded. */
  cancel(): void {
    this.stop.abort(new Error('called off'))
  }
}
