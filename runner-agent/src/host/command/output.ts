/** Collects a command's output up to a limit; beyond it, says so once and keeps no more. */
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
