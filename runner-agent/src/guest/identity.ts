import type { GivenIdentity } from '../host/machine.ts'
import type { GuestEvidence } from './guest.ts'

export const mostClockOffsetMilliseconds = 500

/**
 * Describes what is wrong with the guest's identity; empty when the identity is the expected one. A guest whose host name
 * is being changed may have the former one.
 */
export function identityFaults(
  given: GivenIdentity,
  evidence: GuestEvidence,
  formerHostname: string | null = null,
): string[] {
  const faults: string[] = []
  if (evidence.machineId !== given.machineId) {
    faults.push(`machine-id is "${evidence.machineId}", not "${given.machineId}"`)
  }
  if (evidence.hostname !== given.hostname && evidence.hostname !== formerHostname) {
    faults.push(`hostname is "${evidence.hostname}", not "${given.hostname}"`)
  }
  if (!evidence.hostKeyMatches) faults.push('the SSH host key is not the one it was given')
  if (!evidence.randomSeedFresh) faults.push('the random seed is not the one it was given')
  if (Math.abs(evidence.clockOffsetMilliseconds) >= mostClockOffsetMilliseconds) {
    faults.push(`the clock is off by ${evidence.clockOffsetMilliseconds} ms`)
  }
  return faults
}
