import { claimBindingSchema } from '@hearth/contract'
import { expect, test } from 'vitest'
import { World } from '../world.fixture.ts'
import { toListedClaim } from './listed.ts'
import { claims } from './queries.ts'
import { toClaim } from './table.ts'

test('lists and events show the start of what a claim binds, and of a small one all', async () => {
  await using world = await World.create()
  const party = await world.party()
  const pool = await party.pool(await party.project())
  const claim = async (wanted: { variables: Record<string, string>; startCommand: string }) => {
    const binding = claimBindingSchema.parse(wanted)
    const spec = JSON.stringify({ fallback: 'cold', publicKey: 'ssh-ed25519 AAAA', binding })
    const id = await party.claim(pool.id, await party.environment(pool, 'running'), { spec })
    const row = await claims.readById(world.database, id)
    if (row === undefined) throw new Error('it is gone')
    return row
  }
  const small = await claim({ variables: { A: 'é' }, startCommand: 'make run' })
  expect(toListedClaim(small, null)).toEqual(toClaim(small, null, null))
  const names = Array.from({ length: 128 }, (_, index) => `NAME_${index}`)
  const large = await claim({
    variables: Object.fromEntries(names.map((name) => [name, '\u0001'.repeat(1_020)])),
    startCommand: 'x'.repeat(16_000),
  })
  const { spec } = toListedClaim(large, null)
  expect(Object.keys(spec.variables)).toEqual(Object.keys(toClaim(large, null, null).spec.variables))
  expect(spec.startCommand).toHaveLength(1_024)
  expect(Object.values(spec.variables).join('')).toHaveLength(15 * 1_024)
})
