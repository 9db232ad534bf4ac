import type { CommandContext } from '../../../api/command.ts'
import { projects, refuseMissingBranch, sourcesOf } from '../../project/index.ts'

/** Before the transaction, since it asks the repositories' own servers. A project that is not there is refused later. */
export async function askForBranch(
  { services, caller, signal }: CommandContext,
  projectId: string,
  branch: string | null,
  field: string,
): Promise<string | null> {
  const project = branch === null ? undefined : await projects.find(services.database, caller, projectId)
  if (project === undefined) return null
  return refuseMissingBranch(services, sourcesOf(services, project), { branch, field }, signal)
}
