import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { secondsAgo } from '../world.fixture.ts'
import { snapshotReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const row = await database
    .selectFrom('snapshots')
    .select(['phase', 'desired_phase', 'spec_version', 'status', 'deletion'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const holders = await database
    .selectFrom('snapshot_holders')
    .select('phase')
    .where('snapshot_id', '=', id)
    .execute()
  const orders = await database
    .selectFrom('outbox')
    .select('topic')
    .where('environment_id', '=', id)
    .orderBy('id')
    .execute()
  return {
    phase: row.phase,
    desired: row.desired_phase,
    version: row.spec_version,
    failure: row.status.failure?.code ?? null,
    deletion: row.deletion?.reason ?? null,
    holders: holders.map(({ phase }) => phase),
    orders: orders.map(({ topic }) => topic),
  }
}
const common = { reconciler: snapshotReconciler, outcome }

describeReconciler('snapshot', [
  {
    ...common,
    name: 'is ready once its runner has it',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      return party.snapshot(pool, 'creating', { holder: { phase: 'present' } })
    },
    expected: {
      phase: 'ready',
      desired: 'ready',
      version: 1,
      failure: null,
      deletion: null,
      holders: ['present'],
      orders: [],
    },
  },
  {
    ...common,
    name: 'fails when its deadline has passed, and its runner is to remove what there is of it',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      return party.snapshot(pool, 'creating', { deadline: secondsAgo(1) })
    },
    expected: {
      phase: 'failed',
      desired: 'ready',
      version: 2,
      failure: 'deadline_passed',
      deletion: null,
      holders: ['creating'],
      orders: ['order'],
    },
  },
  {
    ...common,
    name: 'fails at once where the agent of its runner does not know snapshots, and leaves no order behind',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const runner_id = await party.runner({ work_kinds: '["environment"]' })
      return party.snapshot(pool, 'pending', { holder: { runner_id, phase: 'pending' } })
    },
    expected: {
      phase: 'failed',
      desired: 'ready',
      version: 2,
      failure: 'host_refused',
      deletion: null,
      holders: [],
      orders: ['purge'],
    },
  },
  {
    ...common,
    name: 'is lost with the only runner that held it',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const runner_id = await party.runner({ phase: 'deleted' })
      return party.snapshot(pool, 'ready', { holder: { runner_id, phase: 'present' } })
    },
    expected: {
      phase: 'failed',
      desired: 'ready',
      version: 2,
      failure: 'runner_lost',
      deletion: null,
      holders: [],
      orders: ['purge'],
    },
  },
  {
    ...common,
    name: 'goes with its project',
    async arrange(party) {
      const pool = await party.pool(await party.project({ phase: 'deleting' }))
      return party.snapshot(pool, 'ready', { holder: { phase: 'present' } })
    },
    expected: {
      phase: 'deleting',
      desired: 'deleted',
      version: 2,
      failure: null,
      deletion: 'project_deleted',
      holders: ['present'],
      orders: ['order'],
    },
  },
])
