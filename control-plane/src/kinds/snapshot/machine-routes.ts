import {
  checkpointCreateSchema,
  claimKind,
  environmentKind,
  forkCreateSchema,
  forkSchema,
  restoreSchema,
  snapshotSchema,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrSharedNameParams } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { type AddRoute, routesOf } from '../../resource/routes.ts'
import { claims, showClaim, toClaim } from '../claim/index.ts'
import {
  findEnvironment,
  lifeShown,
  type PlannedEnvironmentRow,
  toEnvironment,
  toListedEnvironment,
  withPlan,
} from '../environment/index.ts'
import { checkpointClaim, checkpointEnvironment } from './commands/checkpoint.ts'
import { type Forked, forkClaim } from './commands/fork.ts'
import { restoreClaim, restoreMachine } from './commands/restore.ts'
import { readHolders } from './queries.ts'
import { type SnapshotRow, toSnapshot } from './table.ts'

// These stand here and not with the kinds whose paths they have: those know nothing of snapshots.
const ofClaims = routesOf({
  words: claimKind,
  params: idOrSharedNameParams,
  find: claims.find,
  show: (queryable, row) => showClaim(queryable, row),
})
const ofEnvironments = routesOf({
  words: environmentKind,
  params: idOrSharedNameParams,
  find: findEnvironment,
  show: (_, row: PlannedEnvironmentRow) => toEnvironment(row),
})

const shown = async (row: SnapshotRow, tx: DatabaseTransaction) =>
  toSnapshot(row, await readHolders(tx, [row.id]))
const checkpoint = {
  description: 'The snapshot, pending',
  roles: writers,
  body: checkpointCreateSchema,
  schema: snapshotSchema,
  value: shown,
}
const restore = { roles: writers, status: 202 as const, body: restoreSchema }

/** Actions on claims and environments that make snapshots, or go back to them. */
export const machineRoutes: readonly AddRoute[] = [
  ofClaims.action(
    'checkpoint',
    { ...checkpoint, summary: 'Make a point to which the environment of a claim can be put back' },
    checkpointClaim,
  ),
  ofClaims.action(
    'restore',
    {
      ...restore,
      summary: 'Put the environment of a claim back to a checkpoint: what it did since is lost',
      description: 'The claim',
    },
    restoreClaim,
  ),
  ofClaims.action(
    'fork',
    {
      summary:
        'Make environments of the running one of a claim, each with a claim of its own; the origin runs on',
      description: 'The snapshot, and a pending claim and environment for each fork',
      roles: writers,
      body: forkCreateSchema,
      schema: forkSchema,
      value: async ({ snapshot, forks }: Forked, tx: DatabaseTransaction) => ({
        snapshot: await shown(snapshot, tx),
        claims: forks.map(({ claim, environment }) => toClaim(claim, null, lifeShown(environment))),
        environments: forks.map(({ environment }) => toListedEnvironment(environment)),
      }),
    },
    forkClaim,
  ),
  ofEnvironments.action(
    'checkpoint',
    { ...checkpoint, summary: 'Make a point to which an environment can be put back' },
    checkpointEnvironment,
  ),
  ofEnvironments.action(
    'restore',
    {
      ...restore,
      summary: 'Put an environment back to a checkpoint: what it did since is lost',
      description: 'The environment, starting',
      value: async (row, tx) => toEnvironment(await withPlan(tx, row)),
    },
    restoreMachine,
  ),
]
