import { defaultQuotas } from '@hearth/contract'
import type { Insertable } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeVolume } from '../volume.fixture.ts'
import { type Party, World } from '../world.fixture.ts'
import { makePipeline } from './pipeline.fixture.ts'
import { pipelines } from './queries.ts'
import { pipelineReconciler } from './reconcile.ts'
import type { PipelineTable } from './table.ts'

const reconciler = pipelineReconciler({ quotas: defaultQuotas })
const layerAddress = { host: '192.0.2.1', port: 7000 }

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

/** One that is to start, and was compiled on a host of its own. */
async function toStart(change: Partial<Insertable<PipelineTable>> = {}) {
  const party = await world.party()
  const pool = await party.pool(await party.project())
  const compiledOn = await party.runner({ layerAddress })
  const snapshotId = await party.snapshot(pool, 'ready', {
    purpose: 'pipeline',
    holder: { runner_id: compiledOn, phase: 'present' },
  })
  const id = await makePipeline(party, {
    ...{ desired: 'provisioned', program: 'success', snapshot_id: snapshotId },
    ...change,
  })
  return { party, id, snapshotId, compiledOn }
}
const read = async (id: string) => {
  const row = await pipelines.readById(world.database, id)
  if (row === undefined) throw new Error(`there is no pipeline ${id}`)
  return row
}

test('a volume of somebody else keeps no pipeline from being given one', async () => {
  const { party, id } = await toStart()
  await makeVolume(party, 'available', { name: `pipeline-${id.slice(-12)}`, runner_id: await party.runner() })
  await world.reconcile(reconciler, id)
  const { resources, volume_id } = await read(id)
  expect(resources).toBe('provisioning')
  expect(volume_id).not.toBeNull()
})

test('what could not be copied to the host of its volume is copied again with the next start', async () => {
  const { party, id, snapshotId } = await toStart()
  const runnerId = await withVolume(party, id)
  const source = { kind: 'runner', runnerId: null, address: null, grantId: null, endsAt: null }
  await party.holder(snapshotId, {
    ...{ runner_id: runnerId, phase: 'failed' },
    source: JSON.stringify({ ...source, triedRunnerIds: [], isGivenUp: true }),
    failure: JSON.stringify({ code: 'copy_failed', message: 'the disk was full' }),
  })
  await world.reconcile(reconciler, id)
  const { resources, status } = await read(id)
  expect([resources, status.error]).toEqual(['provisioning', null])
  const holder = await world.database
    .selectFrom('snapshot_holders')
    .select(['phase', 'failure'])
    .where('snapshot_id', '=', snapshotId)
    .where('runner_id', '=', runnerId)
    .executeTakeFirstOrThrow()
  expect(holder.failure).toBeNull()
  expect(['pending', 'copying']).toContain(holder.phase)
})

test.each([
  ['on the host of its volume', 'active', true],
  ['anywhere where that host takes no machines', 'draining', false],
] as const)('a program is compiled %s', async (_, phase, isThere) => {
  const party = await world.party()
  const id = await makePipeline(party)
  const runnerId = await withVolume(party, id)
  await world.database.updateTable('runners').set({ phase }).where('id', '=', runnerId).execute()
  await world.reconcile(reconciler, id)
  const machine = await world.database
    .selectFrom('environments')
    .select('status')
    .where('id', '=', (await read(id)).environment_id)
    .executeTakeFirstOrThrow()
  expect(machine.status.wantedRunnerId).toBe(isThere ? runnerId : undefined)
})

test('its first machine needs a host with room for its volume, each later one a host that has volumes', async () => {
  const first = await toStart()
  for (let run = 0; run < 3; run += 1) await world.reconcile(reconciler, first.id)
  const work = ['process', 'volume']
  expect(await needsOf(first.id)).toEqual({ work, volumeMebibytes: 10_240, bringsInputs: true })
  const { party, id, compiledOn } = await toStart()
  const volume_id = await makeVolume(party, 'available', { runner_id: compiledOn })
  const stored = { volume_id, storage: 'in_use' } as const
  await world.database.updateTable('pipelines').set(stored).where('id', '=', id).execute()
  for (let run = 0; run < 3; run += 1) await world.reconcile(reconciler, id)
  expect(await needsOf(id)).toEqual({ work, volumeMebibytes: 0, bringsInputs: true })
})

test('a program is compiled where there are tasks, snapshots and volumes, and files are brought', async () => {
  const party = await world.party()
  const id = await makePipeline(party)
  await world.reconcile(reconciler, id)
  const work = ['process', 'snapshot', 'volume']
  expect(await needsOf(id)).toEqual({ work, volumeMebibytes: 0, bringsInputs: true })
})

/** What its machine needs of its host. */
async function needsOf(id: string) {
  const { environment_id } = await read(id)
  const machine = await world.database
    .selectFrom('environments')
    .select('needs')
    .where('id', '=', environment_id)
    .executeTakeFirstOrThrow()
  return machine.needs
}

/** Gives it a volume on a host of its own, whose id it returns. */
async function withVolume(party: Party, id: string): Promise<string> {
  const runnerId = await party.runner({ layerAddress })
  const volume_id = await makeVolume(party, 'available', { runner_id: runnerId })
  await world.database
    .updateTable('pipelines')
    .set({ volume_id, storage: 'in_use' })
    .where('id', '=', id)
    .execute()
  return runnerId
}
