import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type ProcessRow, toProcess } from './table.ts'
import { explain } from './why.ts'

/** Reads what a process depends on, and explains its phase. */
export async function explainProcess(queryable: Queryable, row: ProcessRow): Promise<Explanation> {
  const place = await queryable
    .selectFrom('environments')
    .leftJoin('runners', 'runners.id', 'environments.runner_id')
    .select(['environments.name', 'runners.name as runner'])
    .where('environments.id', '=', row.environment_id)
    .executeTakeFirst()
  const process = toProcess(row)
  const reasons = explain({
    process,
    environment: place?.name ?? row.environment_id,
    runner: place?.runner ?? null,
    passedOver: row.spec.passedOver ?? [],
    ranIn: row.status.ranIn ?? null,
  })
  return { kind: process.kind, id: row.id, name: row.name, phase: row.phase, ...reasons }
}
