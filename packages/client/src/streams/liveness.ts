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

  /** Starts the time limit anew. */
  listen(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ended.abort(), this.#silenceMilliseconds)
  }

  /** Stops the time limit while nobody reads. */
  rest(): void {
    clearTimeout(this.#timer)
  }

  /** Ends the watch together with the connection. */
  end(): void {
    clearTimeout(this.#timer)
    this.#ended.abort()
  }
}
