import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Party, type Pool, World } from '../world.fixture.ts'
import type { OwnerKind } from './owner.ts'

let world: World
let party: Party
let pool: Pool

beforeAll(async () => {
  world = await World.create()
  party = await world.party()
  pool = await party.pool(await party.project())
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

/** The owners that the previous version knew. */
type FormerOwner = Exclude<OwnerKind, 'prebuild' | 'pipeline'>

/** The columns of the previous version, and what each means in this version's columns. */
const formerColumns = {
  'warm-pool': 'warm_pool_id',
  'warm-pool-test': 'tested_pool_id',
  'warm-pool-inspection': 'inspected_pool_id',
} as const satisfies Record<FormerOwner, string>
type Former = Record<(typeof formerColumns)[FormerOwner], string | null>

async function read(id: string): Promise<{ owner: [OwnerKind | null, string | null]; former: Former }> {
  const { rows } = await sql<Former & { owner_kind: OwnerKind | null; owner_id: string | null }>`
    SELECT owner_kind, owner_id, warm_pool_id, tested_pool_id, inspected_pool_id
    FROM environments WHERE id = ${id}`.execute(world.database)
  const [row] = rows
  if (row === undefined) throw new Error(`environment ${id} is not there`)
  const { owner_kind, owner_id, ...former } = row
  return { owner: [owner_kind, owner_id], former }
}

const nobodys: Former = { warm_pool_id: null, tested_pool_id: null, inspected_pool_id: null }

async function writeAsBefore(column: string, owner: string | null): Promise<string> {
  const [like, id] = [await party.environment(pool, 'running'), newId()]
  await sql`
    INSERT INTO environments (id, organization_id, name, labels, spec, status, project_id, environment_class_id,
      phase, desired_phase, configuration, ${sql.ref(column)})
    SELECT ${id}, organization_id, name, labels, spec, status, project_id, environment_class_id,
      phase, desired_phase, configuration, ${owner}::uuid
    FROM environments WHERE id = ${like}`.execute(world.database)
  return id
}

test.each(Object.entries(formerColumns) as [FormerOwner, keyof Former][])(
  'a replica of before and this one say the same of what is owned as %s, whoever writes it',
  async (kind, column) => {
    const ours = await party.environment(pool, 'running', { owner_kind: kind, owner_id: pool.id })
    const theirs = await writeAsBefore(column, pool.id)
    for (const id of [ours, theirs])
      expect(await read(id)).toEqual({ owner: [kind, pool.id], former: { ...nobodys, [column]: pool.id } })
  },
)

test('an environment without owner has none in old and new columns', async () => {
  for (const id of [await party.environment(pool, 'running'), await writeAsBefore('warm_pool_id', null)])
    expect(await read(id)).toEqual({ owner: [null, null], former: nobodys })
})

test('a member that one version inspects is not claimable in the other', async () => {
  const member = { owner_kind: 'warm-pool' as const, owner_id: pool.id }
  const [ours, theirs] = [
    await party.environment(pool, 'running', member),
    await party.environment(pool, 'running', member),
  ]
  await world.database
    .updateTable('environments')
    .set({ owner_kind: 'warm-pool-inspection' })
    .where('id', '=', ours)
    .execute()
  await sql`
    UPDATE environments SET warm_pool_id = NULL, inspected_pool_id = ${pool.id} WHERE id = ${theirs}`.execute(
    world.database,
  )
  for (const id of [ours, theirs]) {
    expect(await read(id)).toEqual({
      owner: ['warm-pool-inspection', pool.id],
      former: { ...nobodys, inspected_pool_id: pool.id },
    })
  }
})

test('an owner of a kind unknown to the previous version leaves the pool columns empty', async () => {
  const id = await party.environment(pool, 'running', { owner_kind: 'warm-pool', owner_id: pool.id })
  await sql`UPDATE environments SET owner_kind = 'of-tomorrow' WHERE id = ${id}`.execute(world.database)
  expect((await read(id)).former).toEqual(nobodys)
  // Other changes by the previous version leave the owner alone.
  await sql`UPDATE environments SET labels = '{"a": "b"}' WHERE id = ${id}`.execute(world.database)
  expect((await read(id)).owner).toEqual(['of-tomorrow', pool.id])
})
