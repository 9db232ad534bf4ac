import { prebuildBootAttempts } from '@hearth/contract'
import type { HeldBySnapshot } from '../lifecycle/declared.ts'

/** A completed prebuild of the project and the class. */
export interface Built {
  id: string
  name: string
  /** That it was built of; null for those that the project names. */
  branch: string | null
  configuration: string
  failedBoots: number
  /** Machines in a row that did not answer, perhaps by their hosts' fault. */
  unexplainedBoots: number
  /** Its disk; null when the record is gone. */
  snapshot: ({ id: string; isReady: boolean; held: Record<string, string> } & HeldBySnapshot) | null
  /** Whether a runner holds the disk. */
  isHeld: boolean
}

/** What a machine is to be made of. */
export interface WantedBuilt {
  configuration: string
  branch: string | null
}

export interface PrebuildChoice {
  chosen: Built | null
  /** Why it is none, or none of the newer; null where the newest is chosen, or none was made. */
  reason: string | null
}

/**
 * The prebuild that a machine starts from: the newest that fits and from which machines start, one of the same branch
 * before those of others, whose set-up was made of something else.
 */
export function choosePrebuild(wanted: WantedBuilt, newestFirst: readonly Built[]): PrebuildChoice {
  const isAlike = ({ branch }: Built) => branch === wanted.branch
  const line = [...newestFirst.filter(isAlike), ...newestFirst.filter((built) => !isAlike(built))]
  const judged = line.map((built) => ({ built, fault: faultOf(wanted, built) }))
  const chosen = judged.find(({ fault }) => fault === null)?.built ?? null
  return { chosen, reason: judged[0]?.fault ?? null }
}

function faultOf({ configuration }: WantedBuilt, built: Built): string | null {
  const { name, failedBoots, unexplainedBoots, snapshot, isHeld } = built
  if (built.configuration !== configuration)
    return `prebuild ${name} was made of other repositories, another set-up, image or size`
  if (failedBoots >= prebuildBootAttempts)
    return `${failedBoots} environments in a row could not start from prebuild ${name}`
  if (failedBoots + unexplainedBoots >= prebuildBootAttempts)
    return `${unexplainedBoots} environments that started from prebuild ${name} did not answer, and it is not known yet whether that is their hosts' doing`
  if (snapshot?.isReady !== true) return `the snapshot of prebuild ${name} is not there any more`
  return isHeld ? null : `no runner holds prebuild ${name}`
}
