import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { claimReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const { phase, environment_id, status } = await database
    .selectFrom('claims')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const machines = await database
    .selectFrom('environments')
    .select(['id', 'phase', 'desired_phase', 'deletion'])
    .where('claim_id', '=', id)
    .orderBy('id')
    .execute()
  return {
    phase,
    isBound: status.boundAt !== null,
    failure: status.failure?.code ?? null,
    machines: machines.map(
      (machine) =>
        `${machine.id === environment_id ? 'its' : 'lost'} ${machine.phase} ${machine.desired_phase} ${machine.deletion?.reason ?? 'stays'}`,
    ),
  }
}
const common = { reconciler: claimReconciler, outcome }

describeReconciler('claim', [
  {
    ...common,
    name: 'binds a claim whose machine is ready',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      return party.claim(pool.id, await party.environment(pool, 'running'))
    },
    expected: { phase: 'bound', isBound: true, failure: null, machines: ['its running running stays'] },
  },
  {
    ...common,
    name: 'fails one whose machine failed',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      return party.claim(pool.id, await party.environment(pool, 'failed'))
    },
    expected: {
      phase: 'failed',
      isBound: false,
      failure: 'command_failed',
      machines: ['its failed running stays'],
    },
  },
  {
    ...common,
    name: 'ends one whose machine is gone',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const gone = await party.environment(pool, 'deleted', { desired_phase: 'deleted' })
      return party.claim(pool.id, gone, { phase: 'bound' })
    },
    expected: { phase: 'released', isBound: false, failure: null, machines: ['its deleted deleted stays'] },
  },
  {
    ...common,
    name: 'gives one whose host is lost a ready member of its pool',
    async arrange(party) {
      const pool = await party.pool(await party.project({ onHostLoss: 'recreate' }))
      const owned = { owner_kind: 'warm-pool' as const, owner_id: pool.id }
      const lost = await party.environment(pool, 'running', { ...owned, unreachable: true })
      await party.environment(pool, 'running', owned)
      await party.environment(pool, 'running', owned)
      return party.claim(pool.id, lost, { phase: 'bound' })
    },
    expected: {
      phase: 'bound',
      isBound: true,
      failure: null,
      machines: ['lost running deleted runner_lost', 'its running running stays'],
    },
  },
  {
    ...common,
    name: 'makes one whose host is lost another machine where none is ready',
    async arrange(party) {
      const pool = await party.pool(await party.project({ onHostLoss: 'recreate' }))
      const lost = await party.environment(pool, 'running', { unreachable: true })
      return party.claim(pool.id, lost, { phase: 'bound' })
    },
    expected: {
      phase: 'pending',
      isBound: false,
      failure: null,
      machines: ['lost running deleted runner_lost', 'its pending running stays'],
    },
  },
])
