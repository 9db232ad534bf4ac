import { defaultQuotas } from '@hearth/contract'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { secondsAgo } from '../world.fixture.ts'
import { warmPoolReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const pool = await database.selectFrom('warm_pools').selectAll().where('id', '=', id).executeTakeFirst()
  const machines = await database
    .selectFrom('environments')
    .select(['owner_kind', 'phase', 'desired_phase', 'deletion'])
    .where('owner_id', '=', id)
    .orderBy('id')
    .execute()
  return {
    pool:
      pool === undefined
        ? null
        : { phase: pool.phase, ready: pool.status.ready, provisioning: pool.status.provisioning },
    machines: machines.map(
      ({ owner_kind, phase, desired_phase, deletion }) =>
        `${owner_kind} ${phase} ${desired_phase} ${deletion?.reason ?? 'stays'}`,
    ),
  }
}
const common = { reconciler: warmPoolReconciler(defaultQuotas), outcome }

describeReconciler('warm-pool', [
  {
    ...common,
    name: 'makes the machines that a pool lacks, with their runners, and tells of it at its next look',
    runs: 2,
    async arrange(party) {
      await party.runner()
      return (await party.pool(await party.project(), { min: 2 })).id
    },
    expected: {
      pool: { phase: 'filling', ready: 0, provisioning: 2 },
      machines: ['warm-pool provisioning running stays', 'warm-pool provisioning running stays'],
    },
  },
  {
    ...common,
    name: 'makes them though no runner takes them yet, and tells of it at once',
    async arrange(party) {
      return (await party.pool(await party.project(), { min: 1 })).id
    },
    expected: {
      pool: { phase: 'filling', ready: 0, provisioning: 1 },
      machines: ['warm-pool pending running stays'],
    },
  },
  {
    ...common,
    name: 'lets go what is too many, stopped or failed before the newest, each for its reason, and counts them no more',
    async arrange(party) {
      const pool = await party.pool(await party.project(), { min: 1 })
      const owned = { owner_kind: 'warm-pool' as const, owner_id: pool.id, runner_id: await party.runner() }
      await party.environment(pool, 'running', { ...owned, created_at: secondsAgo(900) })
      await party.environment(pool, 'running', { ...owned, configuration: 'of-before' })
      await party.environment(pool, 'running', owned)
      await party.environment(pool, 'provisioning', owned)
      await party.environment(pool, 'stopped', owned)
      const claimed = await party.environment(pool, 'running', owned)
      await party.claim(pool.id, claimed, { phase: 'bound' })
      return pool.id
    },
    expected: {
      pool: { phase: 'ready', ready: 1, provisioning: 0 },
      machines: [
        'warm-pool deleting deleted pool_surplus',
        'warm-pool deleting deleted older_configuration',
        'warm-pool running running stays',
        'warm-pool deleting deleted pool_surplus',
        'warm-pool deleting deleted not_running',
        'warm-pool running running stays',
      ],
    },
  },
  {
    ...common,
    name: 'puts to rest what need not run, and does not touch what is claimed',
    runs: 2,
    async arrange(party) {
      const spec = JSON.stringify({ enabled: true, min: 3, running: 2, rest: 'suspended', setup: [] })
      const pool = await party.pool(await party.project(), { spec })
      const owned = { owner_kind: 'warm-pool' as const, owner_id: pool.id, runner_id: await party.runner() }
      await party.environment(pool, 'running', { ...owned, created_at: secondsAgo(900) })
      await party.environment(pool, 'running', owned)
      await party.environment(pool, 'running', owned)
      const claimed = await party.environment(pool, 'running', owned)
      await party.claim(pool.id, claimed, { phase: 'bound' })
      return pool.id
    },
    expected: {
      pool: { phase: 'filling', ready: 2, provisioning: 0 },
      machines: [
        'warm-pool running suspended stays',
        'warm-pool running running stays',
        'warm-pool running running stays',
        'warm-pool running running stays',
      ],
    },
  },
  {
    ...common,
    name: 'removes a pool that is to go, with its tests, and leaves what was claimed from it and what is inspected',
    async arrange(party) {
      const pool = await party.pool(await party.project(), { phase: 'deleting' })
      const claimed = await party.environment(pool, 'running', { owner_kind: 'warm-pool', owner_id: pool.id })
      await party.claim(pool.id, claimed, { phase: 'bound' })
      await party.environment(pool, 'running', { owner_kind: 'warm-pool-test', owner_id: pool.id })
      await party.environment(pool, 'running', { owner_kind: 'warm-pool-inspection', owner_id: pool.id })
      return pool.id
    },
    expected: {
      pool: null,
      machines: [
        'warm-pool running running stays',
        'warm-pool-test running deleted pool_deleted',
        'warm-pool-inspection running running stays',
      ],
    },
  },
])
