import { secretLimits } from '@hearth/contract'
import { environments } from '../../../kinds/environment/index.ts'
import type { ProcessRow } from '../../../kinds/process/index.ts'
import { type NamedSecret, searchSecrets } from '../../../kinds/project/index.ts'
import type { EnvironmentVariableItem } from '../generated/gitpod/v1/automation_resource_pb.ts'
import { nativeEnvironment } from '../translate/native-automation.ts'
import type { Call, Queryable } from '../wire/call.ts'

/** The secrets of the projects of some environments, by the environment's id. */
async function secretsOf(
  queryable: Queryable,
  { caller: { organizationId } }: Call,
  ids: readonly string[],
): Promise<Map<string, NamedSecret[]>> {
  if (ids.length === 0) return new Map()
  const places = await environments.list(queryable, { organizationId, limit: ids.length }, { id: ids })
  const projectIds = [...new Set(places.map(({ project_id }) => project_id))]
  const limit = secretLimits.count * projectIds.length
  const secrets =
    projectIds.length === 0 ? [] : await searchSecrets(queryable, { organizationId, limit }, { projectIds })
  return new Map(
    places.map(({ id, project_id }) => [id, secrets.filter(({ projectId }) => projectId === project_id)]),
  )
}

/** Finds the id of the secret that one of these tasks or services is given under a name. */
export async function secretFinder(queryable: Queryable, call: Call, rows: readonly ProcessRow[]) {
  const given = rows.filter(({ spec }) => spec.secrets.length > 0)
  const known = await secretsOf(queryable, call, [
    ...new Set(given.map(({ environment_id }) => environment_id)),
  ])
  return (environmentId: string) => (name: string) =>
    known.get(environmentId)?.find((secret) => secret.name === name)?.id
}

/** The variables and secrets that a task or service of an environment is to be given. */
export async function environmentOf(
  call: Call,
  environmentId: string,
  env: readonly EnvironmentVariableItem[],
) {
  const refers = env.some(({ source }) => source.case === 'valueFrom')
  const known = await secretsOf(call.services.database, call, refers ? [environmentId] : [])
  return nativeEnvironment(env, known.get(environmentId) ?? [])
}
