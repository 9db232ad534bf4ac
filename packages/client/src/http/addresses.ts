/** The addresses in a text such as `https://a.example.org,https://b.example.org`, without slashes at their ends. */
export function addressesOf(text: string): string[] {
  return text
    .split(',')
    .map((address) => address.trim().replace(/\/+$/, ''))
    .filter((address) => address !== '')
}

/**
 * The control planes of one installation. All answer alike, so one is used until it does not answer, and then the
 * next: a caller that found one that works stays with it.
 */
export class Addresses {
  readonly #all: readonly string[]
  #current = 0

  constructor(text: string) {
    const all = addressesOf(text)
    this.#all = all.length === 0 ? [text] : all
  }

  get count(): number {
    return this.#all.length
  }

  get current(): string {
    return this.#all[this.#current] ?? ''
  }

  /** Turns to the next address, unless another call has already turned away from this one. */
  turnFrom(address: string): void {
    if (address === this.current) this.#current = (this.#current + 1) % this.#all.length
  }
}
