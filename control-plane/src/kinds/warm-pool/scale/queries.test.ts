import { expect, test } from 'vitest'
import { World } from '../../world.fixture.ts'
import { spanOf } from './demand.ts'
import { countClaims, countRefusal } from './queries.ts'

const at = Date.parse('2026-01-01T12:00:00Z')
const minutesLater = (minutes: number) => new Date(at + minutes * 60_000)

test('claims and refusals of a pool are counted together, by when they were made; those of others are not', async () => {
  await using world = await World.create()
  const party = await world.party()
  const project = await party.project()
  const [pool, other] = [await party.pool(project), await party.pool(project)]
  for (const of of [pool, pool, other])
    await party.claim(of.id, await party.environment(of, 'running'), { created_at: new Date(at + 1_000) })
  await party.claim(pool.id, await party.environment(pool, 'running'), { created_at: minutesLater(1) })
  for (const of of [pool, pool, other]) await countRefusal(world.database, of.id, new Date(at + 2_000))
  const counted = await countClaims(world.database, pool.id, at)
  expect(counted.toSorted(([one], [next]) => one - next)).toEqual([
    [spanOf(at), 4],
    [spanOf(minutesLater(1).getTime()), 1],
  ])
  expect(await countClaims(world.database, pool.id, minutesLater(2).getTime())).toEqual([])
})

test('refusals of more than an hour ago are forgotten, so that a pool has no more rows than an hour has spans', async () => {
  await using world = await World.create()
  const party = await world.party()
  const pool = await party.pool(await party.project())
  for (let minute = 0; minute < 180; minute += 1)
    await countRefusal(world.database, pool.id, minutesLater(minute))
  const rows = await world.database.selectFrom('warm_pool_refusals').selectAll().execute()
  expect(rows.length).toBeLessThanOrEqual(61)
  expect(Math.min(...rows.map(({ span }) => span.getTime()))).toBe(minutesLater(119).getTime())
})
