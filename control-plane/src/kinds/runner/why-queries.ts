import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { type RunnerRow, toRunner } from './table.ts'
import { explain } from './why.ts'

/** Reads a runner and its environments, and explains the runner's phase. */
export async function explainRunner(queryable: Queryable, row: RunnerRow): Promise<Explanation> {
  const held = await queryable
    .selectFrom('environments')
    .leftJoin('claims', 'claims.id', 'environments.claim_id')
    .select(['environments.name', 'claims.name as claim', 'environments.desired_phase'])
    .where('environments.runner_id', '=', row.id)
    .where('environments.phase', '<>', 'deleted')
    .orderBy('claims.name')
    .orderBy('environments.name')
    .execute()
  const machines = held.map(({ name, claim, desired_phase }) => ({
    name,
    claim,
    going: desired_phase === 'deleted',
  }))
  const reasons = explain({ runner: toRunner(row, machines.length), machines })
  return { kind: 'Runner', id: row.id, name: row.name, phase: row.phase, ...reasons }
}
