import type { DatabaseTransaction } from '../../database/connection.ts'
import { environments } from '../environment/index.ts'
import { lookAtPrebuildTasks } from '../process/index.ts'
import { countBoots } from './boots.decide.ts'
import { readBoots } from './boots-queries.ts'
import type { SeenPrebuild } from './decide.ts'
import { prebuildBefore } from './queries.ts'
import { readSnapshot, readSnapshotsLeft } from './snapshotting.ts'
import type { PrebuildRow } from './table.ts'
import { lookAtTemplates } from './templates/look.ts'

/** There are none before its machine was ready, and none are left afterwards. */
async function lookAtTasks(tx: DatabaseTransaction, row: PrebuildRow): Promise<SeenPrebuild['tasks']> {
  const machine =
    row.phase !== 'running' || row.environment_id === null
      ? undefined
      : await environments.readById(tx, row.environment_id)
  return machine === undefined ? { state: 'done' } : lookAtPrebuildTasks(tx, machine)
}

/** All that the next action of a prebuild depends on. Its row must have been read under lock. */
export async function lookAtPrebuild(
  tx: DatabaseTransaction,
  row: PrebuildRow,
  now: Date,
): Promise<SeenPrebuild> {
  const project = await tx
    .selectFrom('projects')
    .select('phase')
    .where('id', '=', row.project_id)
    .executeTakeFirst()
  const machines = await tx
    .selectFrom('environments')
    .select(['id', 'phase', 'desired_phase', 'unreachable', 'status'])
    .where('owner_kind', '=', 'prebuild')
    .where('owner_id', '=', row.id)
    .where('phase', '<>', 'deleted')
    .orderBy('id')
    .execute()
  const own = machines.find(({ id }) => id === row.environment_id)
  const written = { failed: row.failed_boots, unexplained: row.unexplained_boots }
  const going = (machine: { desired_phase: string }) => machine.desired_phase === 'deleted'
  return {
    phase: row.phase,
    desiredPhase: row.desired_phase,
    projectDeleting: project?.phase !== 'active',
    deadline: row.deadline,
    timeoutSeconds: row.spec.timeoutSeconds,
    before: row.phase === 'pending' ? await prebuildBefore(tx, row) : null,
    environment:
      own === undefined
        ? null
        : {
            phase: own.phase,
            going: going(own),
            unreachable: own.unreachable,
            failure: own.status.failure,
          },
    tasks: await lookAtTasks(tx, row),
    snapshot: row.snapshot_id === null ? null : await readSnapshot(tx, row.snapshot_id),
    snapshots: row.phase === 'completed' ? [] : await readSnapshotsLeft(tx, row),
    machines: machines.map((machine) => ({ going: going(machine) })),
    boots: {
      written,
      counted: row.phase === 'completed' ? countBoots(await readBoots(tx, row), written, now) : written,
    },
    templates: row.phase === 'completed' ? await lookAtTemplates(tx, row, now) : null,
    now,
  }
}
