import { defaultQuotas } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeVolume } from '../volume.fixture.ts'
import { World } from '../world.fixture.ts'
import { makePipeline } from './pipeline.fixture.ts'
import { pipelines } from './queries.ts'
import { pipelineReconciler } from './reconcile.ts'
import { explain } from './why-queries.ts'

const reconciler = pipelineReconciler({ quotas: defaultQuotas })

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

test('clearing waits for a copy that is made of the volume, says so, and then deletes the volume', async () => {
  const party = await world.party()
  const runner_id = await party.runner()
  const volume_id = await makeVolume(party, 'available', { runner_id })
  const copyId = await makeVolume(party, 'creating', {
    runner_id,
    source_id: volume_id,
    name: 'copy-of-orders',
  })
  const id = await makePipeline(party, { storage: 'clearing', program: 'check_error', volume_id })
  const desired = async () =>
    (
      await world.database
        .selectFrom('volumes')
        .select('desired')
        .where('id', '=', volume_id)
        .executeTakeFirst()
    )?.desired
  await world.reconcile(reconciler, id)
  expect(await desired()).toBe('present')
  const row = await pipelines.readById(world.database, id)
  if (row === undefined) throw new Error('there is no such pipeline')
  expect((await explain(world.database, row)).sentence).toContain('volume copy-of-orders')
  await world.database.updateTable('volumes').set({ phase: 'available' }).where('id', '=', copyId).execute()
  await world.reconcile(reconciler, id)
  expect(await desired()).toBe('delete')
})
