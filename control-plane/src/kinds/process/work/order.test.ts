import { randomBytes } from 'node:crypto'
import type { ProcessPhase } from '@hearth/contract'
import { expect, test } from 'vitest'
import { Encryption } from '../../../database/encryption.ts'
import { World } from '../../world.fixture.ts'
import { currentOrders } from './order.ts'

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
