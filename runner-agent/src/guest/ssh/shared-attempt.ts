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

/** Resolves as the work does; rejects at once when the signal aborts. */
export function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const settle = () => signal.removeEventListener('abort', onAbort)
    work.then(resolve, reject).finally(settle)
  })
}
