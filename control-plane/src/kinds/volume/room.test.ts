import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '../../database/transact.ts'
import { environments, placementReconciler } from '../environment/index.ts'
import { makeVolume } from '../volume.fixture.ts'
import { now, type Party, type Pool, secondsAgo, World } from '../world.fixture.ts'
import { giveVolume } from './change-holder.ts'
import { volumes } from './queries.ts'
import { volumeReconciler } from './reconcile.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const able = { work_kinds: '["environment","volume"]' }
const madeWith = (volumeMebibytes: number) => ({
  needs: JSON.stringify({ work: ['volume'], volumeMebibytes }),
})

/** A host with this much disk, whose machines take 4 GiB each. */
async function host(diskGibibytes: number, work_kinds = able.work_kinds) {
  const party = await world.party()
  const pool = await party.pool(await party.project())
  const runner_id = await party.runner({ work_kinds, facts: { diskGibibytes } })
  return { party, pool, runner_id }
}
/** Gives a machine a volume that no host has. */
async function given(party: Party, machineId: string, size_mebibytes: number): Promise<string> {
  const id = await makeVolume(party, 'unplaced', { size_mebibytes })
  await transact(world.database, async (tx) => {
    const machine = await environments.lockById(tx, machineId)
    const row = await volumes.lockById(tx, id)
    if (machine !== undefined && row !== undefined) await giveVolume(tx, row, machine, '/data', now)
  })
  return id
}
const phaseOf = async (id: string) => (await volumes.readById(world.database, id))?.phase
/** Whether a machine without a volume is placed now. */
async function isPlaced(party: Party, pool: Pool): Promise<boolean> {
  const id = await party.environment(pool, 'pending')
  await world.reconcile(placementReconciler, party.organizationId)
  const { runner_id } = await world.database
    .selectFrom('environments')
    .select('runner_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return runner_id !== null
}

test('the room that a machine was placed with for its volume is there when it is given that, whoever came meanwhile', async () => {
  const { party, pool, runner_id } = await host(13)
  const [first, second] = [
    await party.environment(pool, 'running', { runner_id, ...madeWith(64) }),
    await party.environment(pool, 'running', { runner_id, ...madeWith(64) }),
  ]
  expect(await phaseOf(await given(party, first, 64))).toBe('creating')
  expect(await isPlaced(party, pool)).toBe(true)
  expect(await phaseOf(await given(party, second, 64))).toBe('creating')
})

test('that room stays promised while the volume that the machine was given cannot be placed yet', async () => {
  const { party, pool, runner_id } = await host(8, '["environment"]')
  const machine = await party.environment(pool, 'running', { runner_id, ...madeWith(2_048) })
  const volume = await given(party, machine, 2_048)
  expect(await phaseOf(volume)).toBe('pending')
  expect(await isPlaced(party, pool)).toBe(false)
  await world.database.updateTable('runners').set(able).where('id', '=', runner_id).execute()
  await world.reconcile(volumeReconciler, volume)
  expect(await phaseOf(volume)).toBe('creating')
  expect(await isPlaced(party, pool)).toBe(false)
})

test('the room of a volume that is gone is given to who waits for it', async () => {
  const { party, runner_id } = await host(13)
  const volume = await makeVolume(party, 'deleting', {
    ...{ runner_id, desired: 'delete', deadline: secondsAgo(1) },
  })
  await world.reconcile(volumeReconciler, volume)
  expect(await phaseOf(volume)).toBeUndefined()
  const { rows } = await sql`
    SELECT FROM graphile_worker.jobs WHERE key = ${`placement:${party.organizationId}`}`.execute(
    world.database,
  )
  expect(rows).toHaveLength(1)
})
