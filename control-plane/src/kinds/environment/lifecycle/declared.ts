import { processNames, type RepositoryProcesses } from '@hearth/contract'
import type { EnvironmentRow } from '../table.ts'

/** What the files of an environment's repositories declare: as its runner read them, else as the snapshot holds them. */
export function declaredIn({
  source,
  status,
}: Pick<EnvironmentRow, 'source' | 'status'>): RepositoryProcesses {
  return { ...source?.declared, ...status.declared }
}

export function declaresProcesses(declared: RepositoryProcesses): boolean {
  return Object.values(declared).some((processes) => processNames(processes).length > 0)
}

/** What a snapshot holds beside its disk. */
export interface HeldBySnapshot {
  /** What the files of its repositories declare; absent where they declare nothing. */
  declared?: RepositoryProcesses | undefined
  /** The tasks that prebuilds run and that have run in it, with the digest of what each did; absent where there are none. */
  ranTasks?: Readonly<Record<string, string>> | undefined
}

/** The part of it for a machine that does not run these hooks of its repositories anew. */
export function heldDeclared(
  { declared, ranTasks }: HeldBySnapshot,
  heldSteps: readonly string[],
): HeldBySnapshot {
  const held = Object.entries(declared ?? {}).filter(([name]) => heldSteps.includes(`init_repo.${name}`))
  return {
    ...(held.length === 0 ? {} : { declared: Object.fromEntries(held) }),
    ...(ranTasks === undefined ? {} : { ranTasks }),
  }
}
