import { canonicalJson } from '@hearth/foundation'
import { type Candidate, diskFor, type Placement, place, type Wanted } from './place.ts'

/** An environment that waits for a runner. */
export interface Waiting {
  id: string
  wanted: Wanted
}

/**
 * Places environments in the order given, each in the capacity that earlier ones left. One that fits nowhere does not
 * block later ones; the same answer is reused for others with equal requirements.
 */
export function placeAll(
  waiting: readonly Waiting[],
  candidates: readonly Candidate[],
): Map<string, Placement> {
  const fleet = candidates.map((candidate) => ({ ...candidate, reserved: { ...candidate.reserved } }))
  const refused = new Map<string, Placement>()
  const placements = new Map<string, Placement>()
  for (const { id, wanted } of waiting) {
    const likeness = canonicalJson(wanted)
    const placement = refused.get(likeness) ?? place(wanted, fleet)
    placements.set(id, placement)
    if (placement.runnerId === null) refused.set(likeness, placement)
    else reserve(fleet, placement.runnerId, wanted)
  }
  return placements
}

function reserve(fleet: readonly Candidate[], runnerId: string, wanted: Wanted): void {
  const candidate = fleet.find(({ id }) => id === runnerId)
  if (candidate === undefined) return
  candidate.probeDue = false
  candidate.booting += 1
  const { reserved } = candidate
  reserved.virtualCpus += wanted.virtualCpus
  reserved.memoryMebibytes += wanted.memoryMebibytes
  reserved.diskMebibytes += diskFor(wanted)
}
