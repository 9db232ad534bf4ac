import type { DatabaseTransaction } from '../database/connection.ts'

/** The newest epoch of each of these runners, by its id. A deleted runner has none: its reports are refused. */
export async function readEpochs(
  tx: DatabaseTransaction,
  runnerIds: readonly (string | null)[],
): Promise<Map<string, number>> {
  const ids = [...new Set(runnerIds.filter((id) => id !== null))]
  if (ids.length === 0) return new Map()
  const rows = await tx
    .selectFrom('runners')
    .select(['id', 'epoch'])
    .where('id', 'in', ids)
    .where('phase', '<>', 'deleted')
    .execute()
  return new Map(rows.map(({ id, epoch }) => [id, epoch]))
}
