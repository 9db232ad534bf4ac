import type { Explanation } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { environments } from '../environment/index.ts'
import { unreadable } from './copies/decide-copy.ts'
import { originsIn } from './copies/look.ts'
import { namesOfUsers } from './layers-left.ts'
import { readHolders, usersOf } from './queries.ts'
import { type HolderRow, type SnapshotRow, toSnapshot } from './table.ts'
import { explain } from './why.ts'

/** Reads a snapshot and what its state depends on, and explains its phase. */
export async function explainSnapshot(queryable: Queryable, row: SnapshotRow): Promise<Explanation> {
  const holders = await readHolders(queryable, [row.id])
  const origin =
    row.environment_id === null ? undefined : await environments.readById(queryable, row.environment_id)
  const users = await usersOf(queryable, row.id)
  const reasons = explain({
    snapshot: toSnapshot(row, holders),
    phaseSince: row.phase_since,
    environment: origin?.name ?? null,
    uncopied: uncopiedFrom(holders),
    users: [
      ...users.environments.map(({ name }) => `environment ${name}`),
      ...users.children.map(({ name }) => `snapshot ${name}`),
      ...users.prebuilds.map(({ name }) => `prebuild ${name}`),
      ...users.pipelines.map(({ name }) => `pipeline ${name}`),
    ],
    names: await namesOfUsers(
      queryable,
      row.organization_id,
      holders.flatMap(({ kept_by }) => kept_by),
    ),
  })
  return { kind: 'Snapshot', id: row.id, name: row.name, phase: row.phase, ...reasons }
}

function uncopiedFrom(holders: readonly HolderRow[]): string | null {
  const origins = originsIn(holders)
  const isReadable = origins.some(({ address }) => address !== null)
  return isReadable || origins.length === 0 ? null : unreadable(origins).message
}
