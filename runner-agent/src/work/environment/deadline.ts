/** A signal that aborts with another one or when the time is up, and leaves nothing behind once it is disposed of. */
export class Deadline implements Disposable {
  private readonly controller = new AbortController()
  private readonly timer: NodeJS.Timeout
  private readonly onAbort: () => void
  /** Whether it was the time that aborted it. */
  hasPassed = false

  constructor(
    milliseconds: number,
    private readonly parent: AbortSignal,
  ) {
    this.onAbort = () => this.controller.abort(parent.reason)
    this.timer = setTimeout(
      () => {
        this.hasPassed = true
        this.controller.abort(new Error('the time is up'))
      },
      Math.min(milliseconds, 2 ** 31 - 1),
    )
    parent.addEventListener('abort', this.onAbort, { once: true })
    if (parent.aborted) this.onAbort()
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    this.parent.removeEventListener('abort', this.onAbort)
  }
}
