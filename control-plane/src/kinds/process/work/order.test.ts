import { randomBytes } from 'node:crypto'
import type { ProcessPhase } from '@hearth/contract'
import { expect, test } from 'vitest'
import { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder } from '../../../work/wanted-order.ts'
import { World } from '../../world.fixture.ts'
import { currentOrders, wantedOrders } from './order.ts'

const encryption = new Encryption(randomBytes(32))

/** What the runner of a task is told that is in this phase and has been asked for again. */
async function orderedIn(world: World, phase: ProcessPhase) {
  const party = await world.party()
  const runner_id = await party.runner()
  const pool = await party.pool(await party.project())
  const environment = await party.environment(pool, 'running', { runner_id })
  const id = await party.task(environment, phase, { runner_id, request: 2 })
  const orders = await currentOrders(world.database, encryption, { ids: [id] }, (_, error) => {
    throw error
  })
  return orders.map(({ desired, request }) => ({ desired, request }))
}

test('what waits, while its runner still has the run before, is not to run before it is ordered', async () => {
  await using world = await World.create()
  expect(await orderedIn(world, 'pending')).toEqual([{ desired: 'stop', request: 2 }])
  expect(await orderedIn(world, 'starting')).toEqual([{ desired: 'run', request: 2 }])
  expect(await orderedIn(world, 'stopping')).toEqual([{ desired: 'stop', request: 2 }])
  expect(await orderedIn(world, 'succeeded')).toEqual([{ desired: 'deleted', request: 2 }])
})

test('an order without inputs, journal and wish has the digest that it had before there were any; one with them has another', async () => {
  await using world = await World.create()
  const party = await world.party()
  const runner_id = await party.runner()
  const environment = await party.environment(await party.pool(await party.project()), 'running', {
    runner_id,
  })
  const id = await party.task(environment, 'running', { runner_id })
  const ordered = async () => {
    const [order] = await currentOrders(world.database, encryption, { ids: [id] }, (_, error) => {
      throw error
    })
    if (order === undefined) throw new Error('nothing is ordered')
    const wanted = await wantedOrders(world.database, runner_id)
    expect(wanted.get(id)?.digest).toBe(order.digest)
    return order
  }
  const { digest, runs: _, sealedSecrets: __, inputs, journal, wish, ...said } = await ordered()
  expect([inputs, journal, wish]).toEqual([[], null, null])
  expect(digest).toBe(digestOfOrder({ ...said, project_version: 1, sealing_key: '' }))
  const digests = [digest]
  for (const change of [{ journal: '@status ' }, { wish: 'running' }]) {
    const { spec } = await world.database
      .selectFrom('processes')
      .select('spec')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    await world.database
      .updateTable('processes')
      .set({ spec: JSON.stringify({ ...spec, ...change }) })
      .where('id', '=', id)
      .execute()
    digests.push((await ordered()).digest)
  }
  expect(new Set(digests).size).toBe(3)
})
