import { declaredProcessesSchema, taskDefinitionInputSchema } from '@hearth/contract'
import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import type { Party } from '../world.fixture.ts'
import { processReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, environmentId) => {
  const rows = await database
    .selectFrom('processes')
    .select(['id', 'name', 'phase', 'request', 'runner_id', 'status', 'next_run_at'])
    .where('environment_id', '=', environmentId)
    .orderBy('id')
    .execute()
  const orders = await database
    .selectFrom('outbox')
    .select('topic')
    .where('kind', '=', 'process')
    .orderBy('id')
    .execute()
  return {
    processes: rows.map(({ phase, request, runner_id, status, next_run_at }) => ({
      phase,
      request,
      isOrdered: runner_id !== null,
      waitsFor: status.waitsFor?.replace(/-\w{6}/, '') ?? null,
      failure: status.failure?.code ?? null,
      isScheduled: next_run_at !== null,
    })),
    orders: orders.map(({ topic }) => topic),
  }
}
const common = { reconciler: processReconciler, outcome }
const able = { work_kinds: '["environment","process"]' }

async function machine(
  party: Party,
  change: Parameters<Party['environment']>[2] = {},
  runner: object = able,
) {
  const pool = await party.pool(await party.project())
  const runner_id = await party.runner(runner)
  return {
    id: await party.environment(pool, 'running', { runner_id, has_processes: true, ...change }),
    runner_id,
  }
}

const standing = {
  phase: 'starting',
  request: 1,
  isOrdered: true,
  waitsFor: null,
  failure: null,
  isScheduled: false,
}

describeReconciler('process', [
  {
    ...common,
    name: 'orders a task of its runner',
    async arrange(party) {
      const { id } = await machine(party)
      await party.task(id, 'pending')
      return id
    },
    expected: { processes: [standing], orders: ['order'] },
  },
  {
    ...common,
    name: 'says what a task waits for while its machine is stopped',
    async arrange(party) {
      const { id } = await machine(party, { phase: 'stopped', desired_phase: 'stopped' })
      await party.task(id, 'pending')
      return id
    },
    expected: {
      processes: [
        {
          ...standing,
          phase: 'pending',
          isOrdered: false,
          waitsFor: 'environment machine to be started: it is stopped',
        },
      ],
      orders: [],
    },
  },
  {
    ...common,
    name: 'fails a task whose runner has an agent that does not know tasks, and leaves no order behind',
    async arrange(party) {
      const { id } = await machine(party, {}, { work_kinds: '["environment"]' })
      await party.task(id, 'pending')
      return id
    },
    expected: {
      processes: [{ ...standing, phase: 'failed', isOrdered: false, failure: 'host_refused' }],
      orders: [],
    },
  },
  {
    ...common,
    name: 'takes a running task back from the runner that its machine has left, and gives it to the next',
    async arrange(party) {
      const { id } = await machine(party)
      await party.task(id, 'running', { runner_id: await party.runner() })
      return id
    },
    expected: { processes: [standing], orders: ['purge', 'order'] },
  },
  {
    ...common,
    name: 'removes what is left of a machine that is gone, and purges its orders',
    async arrange(party) {
      const { id, runner_id } = await machine(party, { phase: 'deleted', desired_phase: 'deleted' })
      await party.task(id, 'running', { runner_id })
      await party.task(id, 'succeeded')
      return id
    },
    expected: { processes: [], orders: ['purge'] },
  },
  {
    ...common,
    name: 'makes what the project declares: what begins by itself starts after what it depends on, the rest is there',
    async arrange(party) {
      const task = (change: object) => taskDefinitionInputSchema.parse({ command: 'make', ...change })
      const processes = declaredProcessesSchema.parse({
        tasks: {
          test: task({ on: 'claim', dependsOn: ['build'] }),
          build: task({}),
          nightly: task({ schedule: { cron: '0 3 * * *' } }),
          'only-by-hand': task({}),
        },
      })
      const { id } = await machine(party)
      const row = await party.database
        .selectFrom('environments')
        .select('spec')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      const spec = { plan: { ...row.spec.plan, processes } }
      await party.database
        .updateTable('environments')
        .set({ spec: JSON.stringify(spec) })
        .where('id', '=', id)
        .execute()
      return id
    },
    expected: {
      processes: [
        { ...standing, phase: 'pending', isOrdered: false, waitsFor: 'task build to succeed' },
        standing,
        { ...standing, phase: 'idle', request: 0, isOrdered: false, isScheduled: true },
        { ...standing, phase: 'idle', request: 0, isOrdered: false },
      ],
      orders: ['order'],
    },
  },
])
