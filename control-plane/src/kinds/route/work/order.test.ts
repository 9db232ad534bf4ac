import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder } from '../../../work/wanted-order.ts'
import { World } from '../../world.fixture.ts'
import { currentOrders, wantedOrders } from './order.ts'

const encryption = new Encryption(randomBytes(32))

test('an order without a domain of its own has the digest that it had before there were any; one with it has another', async () => {
  await using world = await World.create()
  const party = await world.party()
  const runner_id = await party.runner()
  const environment = await party.environment(await party.pool(await party.project()), 'running', {
    runner_id,
  })
  const id = await party.route(environment, 'active', { runner_id })
  const ordered = async () => {
    const [order] = await currentOrders(world.database, encryption, { ids: [id] })
    if (order === undefined) throw new Error('nothing is ordered')
    const wanted = await wantedOrders(world.database, runner_id)
    expect(wanted.get(id)?.digest).toBe(order.digest)
    return order
  }
  const { digest, customDomain, ...said } = await ordered()
  expect(customDomain).toBeNull()
  expect(digest).toBe(digestOfOrder(said))
  const spec = JSON.stringify({ port: 3_000, access: 'private', customDomain: 'shop.example.com' })
  await world.database.updateTable('routes').set({ spec }).where('id', '=', id).execute()
  const changed = await ordered()
  expect(changed.customDomain).toBe('shop.example.com')
  expect(changed.digest).not.toBe(digest)
})
