import type { Queryable } from '../../../database/connection.ts'
import { readHolders } from '../queries.ts'
import type { SnapshotRow } from '../table.ts'
import { isCopy } from './look.ts'

/** When the first wait of the snapshot or of one of its copies is over; null where nothing is waited for. */
export async function nextLook(
  queryable: Queryable,
  { id, phase, deadline }: SnapshotRow,
): Promise<Date | null> {
  if (phase !== 'ready') return deadline
  const ends = (await readHolders(queryable, [id]))
    .filter(isCopy)
    .filter((copy) => copy.phase !== 'present')
    .flatMap(({ source }) => (source.endsAt === null ? [] : [Date.parse(source.endsAt)]))
  return ends.length === 0 ? deadline : new Date(Math.min(...ends))
}
