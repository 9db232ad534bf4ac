import { defaultQuotas } from '@hearth/contract'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { transact } from '../../../database/transact.ts'
import { World } from '../../world.fixture.ts'
import { environments } from '../queries.ts'
import { desirePhase } from './desire.ts'

test('a suspension that failed is tried again when it is asked for once more, and what is still said of the first changes nothing', async () => {
  await using world = await World.create()
  const party = await world.party()
  const runner_id = await party.runner()
  const id = await party.environment(await party.pool(await party.project()), 'running', { runner_id })
  const { database } = world
  const ask = () =>
    transact(database, async (tx) => {
      const row = await environments.lockById(tx, id)
      if (row === undefined) throw new Error('it is gone')
      return desirePhase(tx, row, 'suspended', defaultQuotas)
    })
  const first = await ask()
  const again = await ask()
  expect(again.spec_version).toBe(first.spec_version)
  const failure = JSON.stringify({ code: 'host_refused', message: 'its disk is full' })
  await sql`UPDATE environments SET status = jsonb_set(status, '{failure}', ${failure}::jsonb) WHERE id = ${id}`.execute(
    database,
  )
  await sql`DELETE FROM outbox`.execute(database)
  const anew = await ask()
  expect(anew).toMatchObject({
    desired_phase: 'suspended',
    spec_version: first.spec_version + 1,
    status: { failure: null, leastGeneration: first.spec_version + 1 },
  })
  const orders = await database
    .selectFrom('outbox')
    .select('environment_id')
    .where('topic', '=', 'order')
    .execute()
  expect(orders).toEqual([{ environment_id: id }])
})
