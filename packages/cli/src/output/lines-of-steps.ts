import type { LogChunk } from '@hearth/contract'

/** Joins chunks of several steps' output into whole lines, each prefixed by its step when `named`. */
export class LinesOfSteps {
  readonly #open = new Map<string, string>()
  readonly #named: boolean

  constructor(named: boolean) {
    this.#named = named
  }

  /** Returns the lines that this chunk completes. */
  add(chunk: LogChunk): string {
    const text = (this.#open.get(chunk.step) ?? '') + chunk.text
    const end = chunk.end ? text.length : text.lastIndexOf('\n') + 1
    this.#open.set(chunk.step, text.slice(end))
    return this.#lines(chunk.step, text.slice(0, end))
  }

  /** Returns the rest without a final newline. */
  rest(): string {
    const lines = [...this.#open].map(([step, text]) => this.#lines(step, text)).join('')
    this.#open.clear()
    return lines
  }

  #lines(step: string, text: string): string {
    if (text === '') return ''
    const ended = text.endsWith('\n') ? text : `${text}\n`
    return this.#named ? ended.replace(/^(?=[\s\S])/gm, `${step} | `) : ended
  }
}
