import type { Queryable } from '../../../database/connection.ts'
import { readHolders } from '../queries.ts'
import type { SnapshotRow } from '../table.ts'
import { isFlattening } from './decide-copy.ts'
import { isCopy, originsIn } from './look.ts'

/** When the first wait of the snapshot or of one of its copies is over; null where nothing is waited for. */
export async function nextLook(
  queryable: Queryable,
  { id, phase, deadline }: SnapshotRow,
  now: Date,
): Promise<Date | null> {
  if (phase !== 'ready') return deadline
  const holders = await readHolders(queryable, [id])
  const copies = holders.filter(isCopy).filter((copy) => copy.phase !== 'present')
  if (copies.length === 0) return deadline
  const flattened = originsIn(holders).filter((origin) => isFlattening(origin, now))
  const ends = [
    ...copies.map(({ source }) => source.endsAt),
    ...flattened.map(({ flattening }) => flattening?.endsAt ?? null),
  ].flatMap((end) => (end === null ? [] : [Date.parse(end)]))
  return ends.length === 0 ? deadline : new Date(Math.min(...ends))
}
