import { defaultQuotas, type RunnerFacts } from '@hearth/contract'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import type { Party } from '../world.fixture.ts'
import { routeReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, environmentId) => {
  const rows = await database
    .selectFrom('routes')
    .select(['phase', 'runner_id', 'host', 'status'])
    .where('environment_id', '=', environmentId)
    .execute()
  const environment = await database
    .selectFrom('environments')
    .select('desired_phase')
    .where('id', '=', environmentId)
    .executeTakeFirst()
  return {
    desired: environment?.desired_phase,
    routes: rows.map(({ phase, runner_id, host, status }) => ({
      phase,
      isOrdered: runner_id !== null,
      hasHost: host !== null,
      failure: status.failure?.code ?? null,
      wakeFault: status.wake === null ? undefined : status.wake.fault,
    })),
  }
}
const common = { reconciler: routeReconciler(defaultQuotas), outcome }
const able = { work_kinds: '["environment","route"]' }

async function machine(
  party: Party,
  change: Parameters<Party['environment']>[2] = {},
  ingress: object = { ingress: { base: 'hearth.localhost', port: 443 } },
) {
  const pool = await party.pool(await party.project())
  const runner_id = await party.runner({ ...able, facts: ingress as Partial<RunnerFacts> })
  return {
    id: await party.environment(pool, 'running', { runner_id, has_routes: true, ...change }),
    runner_id,
  }
}

describeReconciler('route', [
  {
    ...common,
    name: 'orders a route of its runner, under the domain of that',
    async arrange(party) {
      const { id } = await machine(party)
      await party.route(id, 'pending')
      return id
    },
    expected: {
      desired: 'running',
      routes: [{ phase: 'opening', isOrdered: true, hasHost: true, failure: null, wakeFault: undefined }],
    },
  },
  {
    ...common,
    name: 'waits for a runner that serves routes',
    async arrange(party) {
      const { id } = await machine(party, {}, { ingressFault: 'caddy is not installed' })
      await party.route(id, 'pending')
      return id
    },
    expected: {
      desired: 'running',
      routes: [{ phase: 'pending', isOrdered: false, hasHost: false, failure: null, wakeFault: undefined }],
    },
  },
  {
    ...common,
    name: 'has a stopped machine run that a request asked for',
    async arrange(party) {
      const { id, runner_id } = await machine(party, { phase: 'stopped', desired_phase: 'stopped' })
      const wake = { id: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', at: '2026-01-01T12:00:00Z', fault: null }
      await party.route(id, 'active', { runner_id, wake: { ...wake, isHandled: false } })
      return id
    },
    expected: {
      desired: 'running',
      routes: [{ phase: 'active', isOrdered: true, hasHost: true, failure: null, wakeFault: null }],
    },
  },
  {
    ...common,
    name: 'removes a route that nobody serves, when its environment is gone',
    async arrange(party) {
      const { id } = await machine(party, { phase: 'deleted', desired_phase: 'deleted' })
      await party.route(id, 'pending')
      return id
    },
    expected: { desired: 'deleted', routes: [] },
  },
])
