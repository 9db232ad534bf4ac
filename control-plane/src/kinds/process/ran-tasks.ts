import { createHash } from 'node:crypto'
import { canonicalJson } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import { readProcessesOf } from './queries.ts'
import type { StoredProcessSpec } from './table.ts'

/** The tasks that prebuilds run and that are done in an environment, with the digest of what each did. */
export async function readRanTasks(
  queryable: Queryable,
  { id, has_processes }: Pick<EnvironmentRow, 'id' | 'has_processes'>,
): Promise<Record<string, string>> {
  if (!has_processes) return {}
  const rows = await readProcessesOf(queryable, id)
  const ran = rows.filter(
    ({ spec, phase }) => spec.kind === 'task' && spec.on === 'prebuild' && phase === 'succeeded',
  )
  return Object.fromEntries(ran.map(({ name, spec }) => [name, digestOf(spec)]))
}

/** The same for tasks that do the same, whoever declares them. */
export function digestOf({
  isDeclared: _isDeclared,
  repository: _repository,
  passedOver: _passedOver,
  allowFailure: _allowFailure,
  ...does
}: StoredProcessSpec & { allowFailure?: boolean | undefined }): string {
  return createHash('sha256').update(canonicalJson(does)).digest('hex').slice(0, 16)
}
