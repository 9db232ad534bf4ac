import type { ProjectDeclaration } from '@hearth/contract'
import type { CommandContext } from '../../api/command.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { projects, refuseMissingBranch } from '../project/index.ts'
import { warmPools } from '../warm-pool/index.ts'

/** By the class of the pool: in words, the repositories that could not be asked for its branch; null where all could. */
export type UncheckedBranches = ReadonlyMap<string, string | null>

/** More than a project has: one of each class. */
export const mostPools = 1_000

/**
 * Refuses a pool's branch that a declared repository does not have. Branches that are unchanged are not checked again,
 * so that applying a file a second time waits for no server.
 */
export async function askForBranches(
  { services, caller, signal }: CommandContext,
  { name, repositories, secrets, warmPools: declared }: ProjectDeclaration,
): Promise<UncheckedBranches> {
  const { database } = services
  const asked = declared.flatMap(({ branch, environmentClass }, index) =>
    branch === null ? [] : [{ branch, environmentClass, field: `body.warmPools.${index}.branch` }],
  )
  if (asked.length === 0) return new Map()
  const project = await projects.find(database, caller, name)
  const page = { organizationId: caller.organizationId, limit: mostPools }
  const pools = project === undefined ? [] : await warmPools.list(database, page, { project_id: project.id })
  const sources = { repositories, secrets: async () => secrets }
  // All at once, so that together they take no longer than one timeout.
  const answers = await Promise.all(
    asked.map(async ({ branch, environmentClass, field }) => {
      const { id: classId } = await environmentClasses.get(database, caller, environmentClass)
      const standing = pools.find((pool) => pool.environment_class_id === classId)
      if (standing?.spec.branch === branch) return []
      const unchecked = await refuseMissingBranch(services, sources, { branch, field }, signal)
      return [[environmentClass, unchecked] as const]
    }),
  )
  return new Map(answers.flat())
}
