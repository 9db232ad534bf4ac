import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { secondsAgo } from '../world.fixture.ts'
import { Listening } from './listening.ts'
import { runnerReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const { phase, health } = await database
    .selectFrom('runners')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { wakes } = await database
    .selectFrom('environments')
    .select(({ fn }) => fn.countAll<string>().as('wakes'))
    .where('runner_id', '=', id)
    .executeTakeFirstOrThrow()
  return { phase, isDegraded: health?.degradedSince != null, machines: Number(wakes) }
}
const common = {
  reconciler: runnerReconciler({ listening: new Listening({ now: () => secondsAgo(3600) }) }),
  outcome,
}

describeReconciler('runner', [
  {
    ...common,
    name: 'is offline once it has been silent for its lease',
    async arrange(party) {
      const id = await party.runner({ last_seen_at: secondsAgo(600) })
      const pool = await party.pool(await party.project())
      await party.environment(pool, 'running', { runner_id: id, owner_kind: 'warm-pool', owner_id: pool.id })
      return id
    },
    expected: { phase: 'offline', isDegraded: false, machines: 1 },
  },
  {
    ...common,
    name: 'is active again once it is heard',
    arrange: (party) => party.runner({ phase: 'offline' }),
    expected: { phase: 'active', isDegraded: false, machines: 0 },
  },
  {
    ...common,
    name: 'drains once that is asked for',
    arrange: (party) => party.runner({ spec: JSON.stringify({ region: 'default', scheduling: 'draining' }) }),
    expected: { phase: 'draining', isDegraded: false, machines: 0 },
  },
])
