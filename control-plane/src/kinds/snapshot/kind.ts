import {
  copyCreateSchema,
  idSchema,
  snapshotCreateSchema,
  snapshotPhaseSchema,
  snapshotKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { Queryable } from '../../database/connection.ts'
import type { Kind } from '../../resource/define.ts'
import { recordSince } from '../../resource/retention.ts'
import { routesOf } from '../../resource/routes.ts'
import { collectSnapshots } from './collect.ts'
import { copySnapshot } from './commands/copy.ts'
import { createSnapshot } from './commands/create.ts'
import { deleteSnapshot } from './commands/delete.ts'
import { machineRoutes } from './machine-routes.ts'
import { forgetDeletedSnapshots, readHolders, snapshots } from './queries.ts'
import { snapshotReconciler } from './reconcile.ts'
import { type SnapshotRow, toSnapshot } from './table.ts'
import { explainSnapshot } from './why-queries.ts'
import { snapshotWorkKind } from './work/kind.ts'

async function show(queryable: Queryable, rows: readonly SnapshotRow[]) {
  const holders = await readHolders(
    queryable,
    rows.map(({ id }) => id),
  )
  return rows.map((row) =>
    toSnapshot(
      row,
      holders.filter(({ snapshot_id }) => snapshot_id === row.id),
    ),
  )
}

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: snapshots.find,
  show: async (queryable, row: SnapshotRow) => toSnapshot(row, await readHolders(queryable, [row.id])),
  showListed: show,
})
const change = { description: 'The snapshot', roles: writers }

export const snapshotKind: Kind = {
  name: 'snapshot',
  routes: [
    routes.list(
      { summary: 'List snapshots; deleted ones only with phase=deleted', description: words.tag },
      {
        name: nameQuery,
        projectId: idSchema.optional(),
        environmentId: idSchema.optional(),
        claimId: idSchema.optional(),
        phase: snapshotPhaseSchema.optional(),
      },
      (queryable, { name, projectId, environmentId, claimId, phase, ...page }) =>
        snapshots.list(queryable, page, {
          name,
          project_id: projectId,
          environment_id: environmentId,
          claim_id: claimId,
          phase,
        }),
    ),
    routes.create(
      {
        ...change,
        summary: 'Make a snapshot of an environment: its disk, and with memory=true its memory too',
        description: 'The snapshot, pending',
        body: snapshotCreateSchema,
      },
      createSnapshot,
    ),
    routes.show({ summary: 'Show a snapshot with the runners that hold it', description: 'The snapshot' }),
    routes.remove(
      {
        ...change,
        summary:
          'Delete a snapshot; one in use only with force=true, and not while an environment that uses it is on',
        description: 'The snapshot, going',
        status: 202,
        takesForce: true,
      },
      deleteSnapshot,
    ),
    routes.action(
      'copies',
      {
        ...change,
        summary: 'Have another runner hold a snapshot: its disk is copied there, its memory stays',
        description: 'The snapshot, with the runner among its holders',
        status: 202,
        body: copyCreateSchema,
      },
      copySnapshot,
    ),
    routes.why('Say in words why a snapshot is as it is', (queryable, row) =>
      explainSnapshot(queryable, row),
    ),
    ...machineRoutes,
  ],
  work: snapshotWorkKind,
  reconcilers: () => [snapshotReconciler],
  everyMinute: collectSnapshots,
  everyHour: ({ database, clock }) => forgetDeletedSnapshots(database, recordSince(clock.now())),
}
