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

/** What a snapshot holds for a machine that does not run these hooks of its repositories anew. */
export function heldDeclared(
  declared: RepositoryProcesses | undefined,
  heldSteps: readonly string[],
): { declared?: RepositoryProcesses } {
  const held = Object.entries(declared ?? {}).filter(([name]) => heldSteps.includes(`init_repo.${name}`))
  return held.length === 0 ? {} : { declared: Object.fromEntries(held) }
}
