import { isIPv4 } from 'node:net'
import type { CommandRunner } from '../../command/command-runner.ts'

/** The host's first IPv4 name server; null where it has none. */
export async function hostNameServer(runner: CommandRunner): Promise<string | null> {
  return parseNameServer((await runner.readFile('/etc/resolv.conf'))?.toString('utf8') ?? '')
}

export function parseNameServer(text: string): string | null {
  const servers = text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
  return servers.find((server) => isIPv4(server)) ?? null
}
