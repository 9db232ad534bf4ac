/**
 * A signal that aborts with another one or when the time is up, and leaves nothing behind once it is disposed of. Not
 * `AbortSignal.any` over `AbortSignal.timeout`: there Node.js may collect the timeout as garbage, and it never fires.
 */
export class Deadline implements Disposable {
  private readonly controller = new AbortController()
  private readonly parents: readonly AbortSignal[]
  private readonly timer: NodeJS.Timeout
  private readonly onAbort: () => void
  /** Whether it was the time that aborted it. */
  hasPassed = false

  constructor(milliseconds: number, ...parents: readonly AbortSignal[]) {
    this.parents = parents
    this.onAbort = () => this.controller.abort(parents.find(({ aborted }) => aborted)?.reason)
    this.timer = setTimeout(
      () => {
        this.hasPassed = true
        this.controller.abort(new Error('no answer in time'))
      },
      Math.min(milliseconds, 2 ** 31 - 1),
    )
    for (const parent of parents) parent.addEventListener('abort', this.onAbort, { once: true })
    if (parents.some(({ aborted }) => aborted)) this.onAbort()
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    for (const parent of this.parents) parent.removeEventListener('abort', this.onAbort)
  }
}
