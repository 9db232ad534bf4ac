import { randomInt } from 'node:crypto'
import { startOfText } from '@hearth/contract'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'

/** Below the range of ephemeral ports of Linux. */
export const guestPorts = { first: 20_000, last: 32_000 }

/** Assigns the host's ports that lead to guests. */
export class Ports {
  /** Ports that stopped machines will need again, and ports that are assigned but not listened on yet. */
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

  /** Whether something listens on an IPv4 address of the host and port. */
  async isListenedOn({ host, port }: { host: string; port: number }): Promise<boolean> {
    const [ipv4 = ''] = await this.tables()
    const bytes = host.split('.').map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
    // The kernel writes the four bytes in the order of this machine's memory.
    const address = `${bytes.reverse().join('')}:${port.toString(16).padStart(4, '0').toUpperCase()}`
    return ipv4.split('\n').some((line) => {
      const [, local, , state] = line.trim().split(/\s+/)
      return local === address && state === listenState
    })
  }

  /** Assigns a port that nothing listens on; a different one if the machine already had one. */
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

  /** Includes ports of closing connections: they cannot be listened on either. */
  private async inUse(): Promise<number[]> {
    return (await this.tables()).flatMap((table) => parseLocalPorts(table))
  }

  private async tables(): Promise<string[]> {
    const [ipv4, ipv6] = await Promise.all(
      ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => this.runner.readFile(path)),
    )
    if (ipv4 == null)
      throw new HostError('host_refused', '/proc/net/tcp, which names the ports in use, cannot be read')
    // A kernel without IPv6 has no such table.
    return [ipv4, ...(ipv6 == null ? [] : [ipv6])].map((table) => table.toString('latin1'))
  }
}

/** TCP_LISTEN, as the kernel's table writes it. */
const listenState = '0A'

/**
 * Local ports in a table of `/proc/net/tcp`, of connections in every state or in one state. Throws HostError for a
 * line in an unknown format: an overlooked port would be assigned twice.
 */
export function parseLocalPorts(table: string, state?: string): number[] {
  const [head = '', ...lines] = table.split('\n')
  if (!head.includes('local_address')) throw unreadable(head)
  return lines.flatMap((line) => {
    if (line.trim() === '') return []
    const [, port = '', itsState] =
      /^\s*\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} ([\dA-F]{2})(?: |$)/.exec(line) ?? []
    if (itsState === undefined) throw unreadable(line)
    return state === undefined || itsState === state ? [Number.parseInt(port, 16)] : []
  })
}

function unreadable(line: string): HostError {
  return new HostError(
    'host_refused',
    `a table of ports in use has a line that is not known: "${startOfText(line, 120)}"`,
  )
}
