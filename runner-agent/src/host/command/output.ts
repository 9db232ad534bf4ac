/** Collects a command's output up to a limit; calls back once when the limit is exceeded and keeps nothing more. */
export class Output {
  private readonly chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
  private bytes = 0

  constructor(
    private readonly limitBytes: number,
    private readonly exceeded: () => void,
  ) {}

  add(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.bytes > this.limitBytes) return
    this.bytes += chunk.length
    if (this.bytes > this.limitBytes) this.exceeded()
    else this.chunks[stream].push(chunk)
  }

  text(stream: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.chunks[stream]).toString('utf8')
  }

  bytesOf(stream: 'stdout' | 'stderr'): Buffer {
    return Buffer.concat(this.chunks[stream])
  }
}

const longestLine = 64 * 1024

/** Splits chunks of text into lines; of a line that is too long only the end is kept. */
export class LineReader {
  private rest = ''

  constructor(private readonly line: (text: string) => void) {}

  add(chunk: Buffer): void {
    const lines = (this.rest + chunk.toString('latin1')).split('\n')
    this.rest = (lines.pop() ?? '').slice(-longestLine)
    for (const text of lines) this.line(text)
  }
}
