/** Ends a connection on which nothing was heard for too long: a cable that is pulled out says nothing. */
export class Liveness {
  readonly #ended = new AbortController()
  readonly #silenceMilliseconds: number
  #timer: NodeJS.Timeout | undefined
  /** Aborts when `outer` does, and after the silence. */
  readonly signal: AbortSignal

  constructor(outer: AbortSignal, silenceMilliseconds: number) {
    this.signal = AbortSignal.any([outer, this.#ended.signal])
    this.#silenceMilliseconds = silenceMilliseconds
    this.listen()
  }

  /** From now on something has to be heard in time. */
  listen(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ended.abort(), this.#silenceMilliseconds)
  }

  /** Nobody listens: the time does not count. */
  rest(): void {
    clearTimeout(this.#timer)
  }

  /** The connection is of no use any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#ended.abort()
  }
}
