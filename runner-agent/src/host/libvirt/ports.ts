import { randomInt } from 'node:crypto'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

/** Below the ports that Linux hands out by itself. */
const range = { first: 20_000, last: 32_000 }

/** Chooses the host's ports that lead to guests. */
export class Ports {
  /** What stopped machines will want again, and what is chosen but not listened on yet. */
  private readonly reserved = new Map<string, number>()

  constructor(private readonly runner: CommandRunner) {}

  reserve(environmentId: string, port: number): void {
    this.reserved.set(environmentId, port)
  }

  release(environmentId: string): void {
    this.reserved.delete(environmentId)
  }

  /** A port that nothing listens on; another one than before when the machine had one. */
  async choose(environmentId: string): Promise<number> {
    const taken = new Set([...(await this.listening()), ...this.reserved.values()])
    const span = range.last - range.first + 1
    const start = randomInt(span)
    for (let step = 0; step < span; step += 1) {
      const port = range.first + ((start + step) % span)
      if (taken.has(port)) continue
      this.reserve(environmentId, port)
      return port
    }
    throw new HostError('host_refused', `no free port from ${range.first} to ${range.last}`)
  }

  private async listening(): Promise<number[]> {
    const tables = await Promise.all(
      ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => this.runner.readFile(path)),
    )
    return tables.flatMap((table) => parseLocalPorts(table?.toString('latin1') ?? ''))
  }
}

/** The local ports in a table of `/proc/net/tcp`. */
export function parseLocalPorts(table: string): number[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[1]?.split(':').at(-1) ?? '')
    .filter((port) => port !== '')
    .map((port) => Number.parseInt(port, 16))
}
