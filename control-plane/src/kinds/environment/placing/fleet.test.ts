import { expect, test } from 'vitest'
import { now } from '../../party.fixture.ts'
import { makeVolume } from '../../volume.fixture.ts'
import { World } from '../../world.fixture.ts'
import { readFleet } from './fleet.ts'

test('the room for a volume is kept with its machine until a runner has the volume that the machine was given', async () => {
  await using world = await World.create()
  const party = await world.party()
  const runner_id = await party.runner({ work_kinds: '["environment","volume"]' })
  const pool = await party.pool(await party.project())
  const reserved = async (volumeOf: string | null = null) =>
    (await readFleet(world.database, party.organizationId, now, { volumeOf }))[0]?.reserved.diskMebibytes
  await party.environment(pool, 'running', { runner_id })
  expect(await reserved()).toBe(4_096)
  const needs = JSON.stringify({ work: ['volume'], volumeMebibytes: 2_049 })
  const id = await party.environment(pool, 'running', { runner_id, needs })
  expect(await reserved()).toBe(2 * 4_096 + 2_049)
  // It is for this volume, which takes it.
  expect(await reserved(id)).toBe(2 * 4_096)
  const volumeId = await makeVolume(party, 'pending', { environment_id: id, size_mebibytes: 2_049 })
  await world.database.updateTable('environments').set({ has_volumes: true }).where('id', '=', id).execute()
  expect(await reserved()).toBe(2 * 4_096 + 2_049)
  await world.database.updateTable('volumes').set({ runner_id }).where('id', '=', volumeId).execute()
  expect(await reserved()).toBe(2 * 4_096 + 2_049)
  await world.database.deleteFrom('volumes').where('id', '=', volumeId).execute()
  await world.database.updateTable('environments').set({ phase: 'deleted' }).where('id', '=', id).execute()
  expect(await reserved()).toBe(4_096)
})
