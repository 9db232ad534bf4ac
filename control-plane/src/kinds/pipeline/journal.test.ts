import { defaultQuotas } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '../../database/transact.ts'
import { World } from '../world.fixture.ts'
import { makePipeline } from './pipeline.fixture.ts'
import { readPipelineEvents } from './queries.ts'
import { pipelineReconciler } from './reconcile.ts'
import { noPipelineWork } from './table.ts'

const reconciler = pipelineReconciler({ quotas: defaultQuotas })

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

/** One whose program runs; `tell` adds lines to its journal. */
async function running() {
  const party = await world.party()
  const id = await makePipeline(party, {
    ...{ resources: 'provisioned', desired: 'provisioned', desired_runtime: 'running', program: 'success' },
    ...{ runtime: 'initializing', storage: 'in_use' },
  })
  const pool = await party.pool(await party.project())
  const environmentId = await party.environment(pool, 'running', { owner_kind: 'pipeline', owner_id: id })
  const serviceId = await party.task(environmentId, 'running')
  const spec = {
    ...{ kind: 'service', isDeclared: false, command: 'run', dependsOn: [], readiness: null },
    ...{ restart: { policy: 'never' }, keptBy: { kind: 'Pipeline', id, role: 'run' } },
    ...{ journal: 'p: ', wish: '{"desired":"running","bootstrap":"await_approval","isApproved":false}' },
  }
  await world.database
    .updateTable('processes')
    .set({ kind: 'service', spec: JSON.stringify(spec) })
    .where('id', '=', serviceId)
    .execute()
  await world.database
    .updateTable('pipelines')
    .set({ environment_id: environmentId })
    .where('id', '=', id)
    .execute()
  let place = 0
  const tell = async (...statuses: string[]) => {
    for (const status of statuses) {
      place += 10
      await world.database
        .insertInto('process_journal')
        .values({ process_id: serviceId, run: 1, place: String(place), text: JSON.stringify({ status }) })
        .execute()
    }
  }
  const seen = async () =>
    (await readPipelineEvents(world.database, id, { limit: 100 }))
      .toReversed()
      .map(({ statuses }) => statuses.runtimeStatus)
  return { id, tell, seen }
}

test('statuses that came together are events of their own, in order, and the same is told once', async () => {
  const { id, tell, seen } = await running()
  await tell('bootstrapping', 'replaying', 'replaying', 'running')
  await world.reconcile(reconciler, id)
  await world.reconcile(reconciler, id)
  expect(await seen()).toEqual(['bootstrapping', 'replaying', 'running'])
  await tell('running', 'paused')
  await world.reconcile(reconciler, id)
  expect(await seen()).toEqual(['bootstrapping', 'replaying', 'running', 'paused'])
})

test('what was read by a control plane that is killed is read again, and nothing of it is there twice', async () => {
  const { id, tell, seen } = await running()
  await tell('bootstrapping', 'running')
  const killed = transact(world.database, async (tx) => {
    await reconciler.reconcile(id, { tx, clock: world.clock, timings: {} as never })
    throw new Error('the control plane is killed')
  })
  await expect(killed).rejects.toThrow('killed')
  expect(await seen()).toEqual([])
  await world.reconcile(reconciler, id)
  expect(await seen()).toEqual(['bootstrapping', 'running'])
})

test('one that is suspended stops, and what it would tell afterwards is nothing any more', async () => {
  const { id, tell, seen } = await running()
  await tell('running', 'suspended', 'running')
  await world.reconcile(reconciler, id)
  expect(await seen()).toEqual(['running', 'suspended', null])
  const row = await world.database
    .selectFrom('pipelines')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  expect(row).toMatchObject({
    resources: 'stopping',
    desired: 'stopped',
    runtime: null,
    work: noPipelineWork,
  })
  expect(row.status.error).toBeNull()
  const machine = await world.database
    .selectFrom('environments')
    .select(['desired_phase', 'deletion'])
    .where('owner_id', '=', id)
    .executeTakeFirstOrThrow()
  expect(machine).toMatchObject({ desired_phase: 'deleted', deletion: { reason: 'pipeline_over' } })
})

test('while its host is silent it is unavailable, and then what it was', async () => {
  const { id, tell, seen } = await running()
  await tell('running')
  const silent = (unreachable: boolean) =>
    world.database.updateTable('environments').set({ unreachable }).where('owner_id', '=', id).execute()
  await world.reconcile(reconciler, id)
  await silent(true)
  await world.reconcile(reconciler, id)
  await silent(false)
  await world.reconcile(reconciler, id)
  expect(await seen()).toEqual(['running', 'unavailable', 'running'])
})
