import ipaddr from 'ipaddr.js'
import { type ProgramBounds, runInGroup } from './process-group.ts'

const bounds: ProgramBounds = { deadlineMilliseconds: 3_000, mostBytes: 65_536 }

/**
 * The addresses of a host, as the system resolves them. Runs `getent` because `dns.lookup` blocks one of Node.js's four
 * threads for as long as a name server takes, and cannot be cancelled.
 */
export async function resolveHost(host: string, signal: AbortSignal): Promise<string[]> {
  if (ipaddr.isValid(host) && (ipaddr.IPv6.isValid(host) || ipaddr.IPv4.isValidFourPartDecimal(host)))
    return [host]
  const program = { command: 'getent', arguments: ['ahosts', '--', host], environment: {} }
  const end = await runInGroup(program, bounds, signal)
  if (end === null || end.exitCode !== 0) return []
  const addresses = end.output.split('\n').flatMap((line) => line.split(/\s/)[0] || [])
  return [...new Set(addresses)].filter((address) => ipaddr.isValid(address))
}
