import { randomBytes } from 'node:crypto'
import { defaultQuotas, type EnvironmentPhase, type PrebuildPhase } from '@hearth/contract'
import type { Insertable } from 'kysely'
import { Encryption } from '../../database/encryption.ts'
import { buildPlan, prebuiltConfigurationOf } from '../environment/index.ts'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { classSpec, type Party, type Pool, projectSpec, secondsAgo } from '../world.fixture.ts'
import { prebuildReconciler } from './reconcile.ts'
import type { PrebuildTable } from './table.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const row = await database
    .selectFrom('prebuilds')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const machines = await database
    .selectFrom('environments')
    .select(['phase', 'desired_phase', 'deletion'])
    .where('owner_kind', '=', 'prebuild')
    .where('owner_id', '=', id)
    .orderBy('id')
    .execute()
  const snapshots = await database
    .selectFrom('snapshots')
    .select(['purpose', 'phase', 'desired_phase'])
    .where('id', '=', row.snapshot_id)
    .execute()
  return {
    phase: row.phase,
    failure: row.status.failure?.code ?? null,
    machines: machines.map(
      ({ phase, desired_phase, deletion }) => `${phase} ${desired_phase} ${deletion?.reason ?? 'stays'}`,
    ),
    snapshots: snapshots.map(({ purpose, phase, desired_phase }) => `${purpose} ${phase} ${desired_phase}`),
  }
}
const encryption = new Encryption(randomBytes(32))
const common = { reconciler: prebuildReconciler({ quotas: defaultQuotas, encryption }), outcome }

/** A prebuild with its machine on a runner. */
async function built(
  party: Party,
  phase: PrebuildPhase,
  machine: EnvironmentPhase,
  change: Partial<Insertable<PrebuildTable>> = {},
): Promise<{ id: string; pool: Pool; environmentId: string }> {
  const pool = await party.pool(await party.project(), { min: 0 })
  const id = await party.prebuild(pool, phase, change)
  const desired_phase = machine === 'stopped' || machine === 'stopping' ? 'stopped' : 'running'
  const environmentId = await party.environment(pool, machine, {
    owner_kind: 'prebuild',
    owner_id: id,
    runner_id: await party.runner(),
    desired_phase,
  })
  await party.change('prebuilds', id, { environment_id: environmentId })
  return { id, pool, environmentId }
}

async function withSnapshot(
  party: Party,
  phase: PrebuildPhase,
  snapshot: Parameters<Party['snapshot']>[1],
  change: Partial<Insertable<PrebuildTable>> = {},
): Promise<string> {
  const { id, pool } = await built(party, phase, 'stopped', change)
  const snapshotId = await party.snapshot(pool, snapshot, {
    purpose: 'prebuild',
    holder: { phase: snapshot === 'ready' ? 'present' : 'creating' },
  })
  await party.change('prebuilds', id, { snapshot_id: snapshotId })
  return id
}

async function deletedWith(party: Party, snapshot: 'ready' | 'deleted'): Promise<string> {
  const pool = await party.pool(await party.project(), { min: 0 })
  const id = await party.prebuild(pool, 'completed', { desired_phase: 'deleted' })
  const snapshot_id = await party.snapshot(pool, snapshot, {
    purpose: 'prebuild',
    holder: { phase: 'present' },
    desired_phase: snapshot,
  })
  await party.change('prebuilds', id, { snapshot_id })
  return id
}

describeReconciler('prebuild', [
  {
    ...common,
    name: 'makes its machine when it is its turn',
    async arrange(party) {
      return party.prebuild(await party.pool(await party.project(), { min: 0 }), 'pending')
    },
    expected: { phase: 'starting', failure: null, machines: ['pending running stays'], snapshots: [] },
  },
  {
    ...common,
    name: 'has its machine shut down when the steps have ended',
    runs: 2,
    arrange: async (party) => (await built(party, 'running', 'running')).id,
    expected: { phase: 'stopping', failure: null, machines: ['running stopped stays'], snapshots: [] },
  },
  {
    ...common,
    name: 'has the disk made a snapshot when the machine is off',
    arrange: async (party) => (await built(party, 'stopping', 'stopped')).id,
    expected: {
      phase: 'snapshotting',
      failure: null,
      machines: ['stopped stopped stays'],
      snapshots: ['prebuild pending ready'],
    },
  },
  {
    ...common,
    name: 'is complete with its snapshot, keeps that, and lets the machine go',
    runs: 2,
    arrange: (party) => withSnapshot(party, 'snapshotting', 'ready'),
    expected: {
      phase: 'completed',
      failure: null,
      machines: ['deleting deleted prebuild_over'],
      snapshots: ['prebuild ready ready'],
    },
  },
  {
    ...common,
    name: 'fails with its machine, and has that removed',
    runs: 2,
    arrange: async (party) => (await built(party, 'running', 'failed')).id,
    expected: {
      phase: 'failed',
      failure: 'command_failed',
      machines: ['deleting deleted prebuild_over'],
      snapshots: [],
    },
  },
  {
    ...common,
    name: 'fails when its time is over, and has its machine and its snapshot removed',
    runs: 2,
    arrange: (party) => withSnapshot(party, 'snapshotting', 'creating', { deadline: secondsAgo(1) }),
    expected: {
      phase: 'failed',
      failure: 'deadline_passed',
      machines: ['deleting deleted prebuild_over'],
      snapshots: ['prebuild deleting deleted'],
    },
  },
  {
    ...common,
    name: 'has everything removed when it is cancelled, and waits for that',
    runs: 2,
    arrange: (party) => withSnapshot(party, 'snapshotting', 'creating', { desired_phase: 'cancelled' }),
    expected: {
      phase: 'cancelling',
      failure: null,
      machines: ['deleting deleted prebuild_over'],
      snapshots: ['prebuild deleting deleted'],
    },
  },
  {
    ...common,
    name: 'is cancelled at once before its start',
    async arrange(party) {
      const pool = await party.pool(await party.project(), { min: 0 })
      return party.prebuild(pool, 'pending', { desired_phase: 'cancelled' })
    },
    expected: { phase: 'cancelled', failure: null, machines: [], snapshots: [] },
  },
  {
    ...common,
    name: 'has its snapshot removed when it is deleted, and waits for that',
    runs: 3,
    arrange: (party) => deletedWith(party, 'ready'),
    expected: { phase: 'deleting', failure: null, machines: [], snapshots: ['prebuild deleting deleted'] },
  },
  {
    ...common,
    name: 'is deleted once no machine and no layer of it is left',
    runs: 2,
    arrange: (party) => deletedWith(party, 'deleted'),
    expected: { phase: 'deleted', failure: null, machines: [], snapshots: ['prebuild deleted deleted'] },
  },
  {
    ...common,
    name: 'boots a machine from its disk, where a pool wants machines, to keep its memory',
    async arrange(party) {
      const pool = await party.pool(await party.project(), { min: 1 })
      const runner_id = await party.runner()
      const snapshotId = await party.snapshot(pool, 'ready', {
        purpose: 'prebuild',
        holder: { runner_id, phase: 'present' },
      })
      const configuration = prebuiltConfigurationOf(buildPlan(projectSpec, classSpec, null))
      return party.prebuild(pool, 'completed', { configuration, snapshot_id: snapshotId, deadline: null })
    },
    expected: {
      phase: 'completed',
      failure: null,
      machines: ['pending running stays'],
      snapshots: ['prebuild ready ready'],
    },
  },
])
