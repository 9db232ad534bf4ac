import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OrganizationScope } from '../../../resource/queries.ts'
import { claims } from '../../claim/index.ts'
import { environments } from '../../environment/index.ts'
import { projects } from '../../project/index.ts'

interface References {
  project?: string | undefined
  environment?: string | undefined
  claim?: string | undefined
}

/** What a session is about, by the ids of what its caller has named; what was not named is left out. */
export async function readReferences(
  tx: DatabaseTransaction,
  scope: OrganizationScope,
  { project, environment, claim }: References,
): Promise<{
  projectName?: string
  columns: Partial<Record<'project_id' | 'environment_id' | 'claim_id', string | null>>
}> {
  const found = project === undefined ? undefined : await projects.get(tx, scope, project)
  const ofProject = found === undefined ? {} : { project_id: found.id }
  const named = found === undefined ? {} : { projectName: found.name }
  if (claim !== undefined) {
    const { id } = await claims.get(tx, scope, claim)
    return { ...named, columns: { ...ofProject, claim_id: id, environment_id: null } }
  }
  if (environment !== undefined) {
    const { id } = await environments.get(tx, scope, environment)
    return { ...named, columns: { ...ofProject, environment_id: id, claim_id: null } }
  }
  return { ...named, columns: ofProject }
}
