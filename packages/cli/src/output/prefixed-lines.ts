/** Puts a prefix before each line of a text that comes in pieces; a line is told when it is whole. */
export class PrefixedLines {
  private begun = ''

  constructor(private readonly prefix: string) {}

  /** The lines that are whole now. */
  add(text: string): string {
    const lines = `${this.begun}${text}`.split('\n')
    this.begun = lines.pop() ?? ''
    return lines.map((line) => `${this.prefix}${line}\n`).join('')
  }

  /** The last line, where it has no end. */
  rest(): string {
    const line = this.begun
    this.begun = ''
    return line === '' ? '' : `${this.prefix}${line}\n`
  }
}
