import { expect, test } from 'vitest'
import { now } from '../../party.fixture.ts'
import { World } from '../../world.fixture.ts'
import { readFleet } from './fleet.ts'

test('the room for a volume is kept with its machine until the machine is given it', async () => {
  await using world = await World.create()
  const party = await world.party()
  const runner_id = await party.runner({ work_kinds: '["environment","volume"]' })
  const pool = await party.pool(await party.project())
  const reserved = async () => (await readFleet(world.database, party.organizationId, now))[0]?.reserved
  const plain = await party.environment(pool, 'running', { runner_id })
  const before = await reserved()
  await world.database.deleteFrom('environments').where('id', '=', plain).execute()
  const needs = JSON.stringify({ work: ['volume'], volumeMebibytes: 2_049 })
  const id = await party.environment(pool, 'provisioning', { runner_id, needs })
  expect((await reserved())?.diskGibibytes).toBe((before?.diskGibibytes ?? 0) + 3)
  await world.database.updateTable('environments').set({ has_volumes: true }).where('id', '=', id).execute()
  expect((await reserved())?.diskGibibytes).toBe(before?.diskGibibytes)
})
