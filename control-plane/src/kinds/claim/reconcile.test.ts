import { type BindingPhase, claimBindingSchema, noLifeCap } from '@hearth/contract'
import { sql } from 'kysely'
import { newLife } from '../environment/index.ts'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { type Party, secondsAgo } from '../world.fixture.ts'
import { pendingBinding } from './binding/stored.ts'
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

const binding = claimBindingSchema.parse({ repositories: [{ name: 'shop', ref: 'next' }] })
const spec = JSON.stringify({ fallback: 'cold', publicKey: 'ssh-ed25519 AAAA', binding })
const boundOutcome: Scenario['outcome'] = async (database, id) => {
  const { phase, status, environment_id } = await database
    .selectFrom('claims')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const orders = await database
    .selectFrom('outbox')
    .select('environment_id')
    .where('topic', '=', 'order')
    .execute()
  return {
    ...{ phase, failure: status.failure?.code ?? null, binding: status.binding?.phase },
    isTimed: status.binding?.since != null,
    isOrdered: orders.some((order) => order.environment_id === environment_id),
  }
}

/** A claim of a machine that runs, which its runner says it has bound so far. */
async function bindingClaim(
  party: Party,
  reported: Exclude<BindingPhase, 'pending'> | null,
  since: Date | null = null,
): Promise<string> {
  const pool = await party.pool(await party.project())
  const environmentId = await party.environment(pool, 'running')
  const stored = pendingBinding(binding, 1, since?.toISOString() ?? null)
  const id = await party.claim(pool.id, environmentId, {
    spec,
    status: JSON.stringify({ source: 'running', boundAt: null, failure: null, binding: stored }),
  })
  if (reported === null) return id
  const failure = reported === 'failed' ? { code: 'clone_failed', message: 'no such branch' } : null
  const report = { claimId: id, attempt: 1, phase: reported, steps: [], boundAt: null, failure }
  await sql`UPDATE environments SET status = jsonb_set(status, '{binding}', ${JSON.stringify(report)}::jsonb)
    WHERE id = ${environmentId}`.execute(party.database)
  return id
}

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
    name: 'fails one whose machine is gone before it was ready, and then ends it',
    runs: 2,
    async arrange(party) {
      const pool = await party.pool(await party.project())
      const gone = await party.environment(pool, 'deleted', { desired_phase: 'deleted' })
      return party.claim(pool.id, gone)
    },
    expected: {
      phase: 'released',
      isBound: false,
      failure: 'internal',
      machines: ['its deleted deleted stays'],
    },
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
    reconciler: claimReconciler,
    name: 'gives one whose host is lost a ready member that counts as used from then',
    async arrange(party) {
      const pool = await party.pool(await party.project({ onHostLoss: 'recreate' }))
      const owned = { owner_kind: 'warm-pool' as const, owner_id: pool.id }
      const life = JSON.stringify(newLife([{ idleSeconds: 60 }], noLifeCap, secondsAgo(600)))
      const lost = await party.environment(pool, 'running', { ...owned, unreachable: true, life })
      await party.environment(pool, 'running', owned)
      return party.claim(pool.id, lost, { phase: 'bound' })
    },
    async outcome(database, id) {
      const machines = await database
        .selectFrom('environments')
        .select(['unreachable', 'life'])
        .where('claim_id', '=', id)
        .orderBy('id')
        .execute()
      return machines.map(({ unreachable, life }) => ({
        unreachable,
        wasUsed: life === null ? null : new Date(life.activeAt) > secondsAgo(300),
      }))
    },
    expected: [
      { unreachable: true, wasUsed: false },
      { unreachable: false, wasUsed: true },
    ],
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
  {
    ...{ ...common, outcome: boundOutcome },
    name: 'has one whose machine runs wait for what it asked to be bound, for a time',
    arrange: (party) => bindingClaim(party, 'running'),
    expected: { phase: 'pending', failure: null, binding: 'running', isTimed: true, isOrdered: false },
  },
  {
    ...{ ...common, outcome: boundOutcome },
    name: 'binds one when all it asked for is bound',
    arrange: (party) => bindingClaim(party, 'bound'),
    expected: { phase: 'bound', failure: null, binding: 'bound', isTimed: false, isOrdered: false },
  },
  {
    ...{ ...common, outcome: boundOutcome },
    name: 'fails one that could not be bound',
    arrange: (party) => bindingClaim(party, 'failed'),
    expected: {
      phase: 'failed',
      failure: 'clone_failed',
      binding: 'failed',
      isTimed: false,
      isOrdered: false,
    },
  },
  {
    ...{ ...common, outcome: boundOutcome },
    name: 'fails one whose runner does not begin to bind it',
    arrange: (party) => bindingClaim(party, null, secondsAgo(600)),
    expected: {
      phase: 'failed',
      failure: 'deadline_passed',
      binding: 'failed',
      isTimed: false,
      isOrdered: false,
    },
  },
  {
    ...{ ...common, outcome: boundOutcome },
    name: 'has the ready member that takes the place of a lost machine bound too',
    async arrange(party) {
      const pool = await party.pool(await party.project({ onHostLoss: 'recreate' }))
      const owned = { owner_kind: 'warm-pool' as const, owner_id: pool.id }
      const runner_id = await party.runner()
      const lost = await party.environment(pool, 'running', { ...owned, unreachable: true })
      await party.environment(pool, 'running', { ...owned, runner_id })
      await party.environment(pool, 'running', { ...owned, runner_id })
      const stored = { ...pendingBinding(binding, 1, null), phase: 'bound' as const }
      const status = { source: 'running', boundAt: new Date().toISOString(), failure: null, binding: stored }
      return party.claim(pool.id, lost, { phase: 'bound', spec, status: JSON.stringify(status) })
    },
    expected: { phase: 'pending', failure: null, binding: 'pending', isTimed: true, isOrdered: true },
  },
])
