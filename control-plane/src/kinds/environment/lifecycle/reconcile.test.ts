import { describeReconciler, type Scenario } from '../../reconciled.fixture.ts'
import { secondsAgo } from '../../world.fixture.ts'
import { environmentReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const row = await database
    .selectFrom('environments')
    .select(['phase', 'desired_phase', 'unreachable', 'status', 'deletion'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const orders = await database
    .selectFrom('outbox')
    .select('topic')
    .where('environment_id', '=', id)
    .execute()
  return {
    phase: row.phase,
    desired: row.desired_phase,
    unreachable: row.unreachable,
    failure: row.status.failure?.code ?? null,
    deletion: row.deletion?.reason ?? null,
    orders: orders.map(({ topic }) => topic),
  }
}
const common = { reconciler: environmentReconciler, outcome }

describeReconciler('environment', [
  {
    ...common,
    name: 'fails when its deadline has passed',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const runner_id = await party.runner()
      return party.environment(pool, 'provisioning', { runner_id, deadline: secondsAgo(1) })
    },
    expected: {
      phase: 'failed',
      desired: 'running',
      unreachable: false,
      failure: 'deadline_passed',
      deletion: null,
      orders: [],
    },
  },
  {
    ...common,
    name: 'has its runner remove what is not wanted any more',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const runner_id = await party.runner()
      return party.environment(pool, 'running', { runner_id, desired_phase: 'deleted' })
    },
    expected: {
      phase: 'deleting',
      desired: 'deleted',
      unreachable: false,
      failure: null,
      deletion: null,
      orders: ['order'],
    },
  },
  {
    ...common,
    name: 'goes with its project, step by step, where it has no runner',
    runs: 2,
    async arrange(party) {
      const pool = await party.pool(await party.project({ phase: 'deleting' }))
      return party.environment(pool, 'pending')
    },
    expected: {
      phase: 'deleted',
      desired: 'deleted',
      unreachable: false,
      failure: null,
      deletion: 'project_deleted',
      orders: [],
    },
  },
  {
    ...common,
    name: 'is unreachable while its runner is silent',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const runner_id = await party.runner({ phase: 'offline', last_seen_at: secondsAgo(600) })
      return party.environment(pool, 'running', { runner_id })
    },
    expected: {
      phase: 'running',
      desired: 'running',
      unreachable: true,
      failure: null,
      deletion: null,
      orders: [],
    },
  },
])
