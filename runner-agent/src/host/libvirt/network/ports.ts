import { randomInt } from 'node:crypto'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'

/** Below the ports that Linux hands out by itself. */
export const guestPorts = { first: 20_000, last: 32_000 }

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

  /** Whether no machine has a port. */
  get isUnused(): boolean {
    return this.reserved.size === 0
  }

  /** The host's ports that something listens on. */
  async listened(): Promise<Set<number>> {
    return new Set((await this.tables()).flatMap((table) => parseLocalPorts(table, listenState)))
  }

  /** A port that nothing listens on; another one than before when the machine had one. */
  async choose(environmentId: string): Promise<number> {
    const taken = new Set([...(await this.inUse()), ...this.reserved.values()])
    const span = guestPorts.last - guestPorts.first + 1
    const start = randomInt(span)
    for (let step = 0; step < span; step += 1) {
      const port = guestPorts.first + ((start + step) % span)
      if (taken.has(port)) continue
      this.reserve(environmentId, port)
      return port
    }
    throw new HostError('host_refused', `no free port from ${guestPorts.first} to ${guestPorts.last}`)
  }

  /** Also those of connections that end: they cannot be listened on either. */
  private async inUse(): Promise<number[]> {
    return (await this.tables()).flatMap((table) => parseLocalPorts(table))
  }

  private async tables(): Promise<string[]> {
    const tables = await Promise.all(
      ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => this.runner.readFile(path)),
    )
    return tables.map((table) => table?.toString('latin1') ?? '')
  }
}

/** TCP_LISTEN, as the kernel's table writes it. */
const listenState = '0A'

/** The local ports in a table of `/proc/net/tcp`, of connections in every state or of those in one. */
export function parseLocalPorts(table: string, state?: string): number[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => state === undefined || fields[3] === state)
    .map((fields) => fields[1]?.split(':').at(-1) ?? '')
    .filter((port) => port !== '')
    .map((port) => Number.parseInt(port, 16))
}
