import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { transact } from '../../database/transact.ts'
import { World } from '../world.fixture.ts'
import { retireOldest, tooMany } from './retention.ts'

const of = (...failedBoots: number[]) =>
  failedBoots.map((count, position) => ({ position, failedBoots: count }))

test('the oldest go when there are more than are kept', () => {
  expect(tooMany(of(0, 0, 0), 3)).toEqual([])
  expect(tooMany(of(0, 0, 0, 0, 0), 3).map(({ position }) => position)).toEqual([3, 4])
})

test('a good one stays, however old, while no newer one is good', () => {
  expect(tooMany(of(3, 3, 3, 0, 0), 3).map(({ position }) => position)).toEqual([4])
})

test('whatever there is, the newest good one stays, and at most one more than are kept', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 })), fc.integer({ min: 1, max: 5 }), (counts, keep) => {
      const all = of(...counts)
      const left = all.filter((one) => !tooMany(all, keep).includes(one))
      expect(left.length).toBeLessThanOrEqual(keep + 1)
      const good = all.find(({ failedBoots }) => failedBoots < 3)
      if (good !== undefined) expect(left).toContain(good)
    }),
  )
})

test('the oldest complete ones of the same project and class are let go, and no others', async () => {
  await using world = await World.create()
  const party = await world.party()
  const project = await party.project()
  const [pool, other] = [await party.pool(project), await party.pool(project)]
  const made = (at: typeof pool, change = {}) =>
    party.prebuild(at, 'completed', { deadline: null, ...change })
  const oldest = await made(pool)
  const stays = [
    await made(other),
    await party.prebuild(pool, 'running'),
    await party.prebuild(pool, 'failed'),
    await made(pool, { failed_boots: 3 }),
    await made(pool),
    await made(pool),
  ]
  const scope = { project_id: pool.projectId, environment_class_id: pool.classId }
  await transact(world.database, (tx) => retireOldest(tx, scope))
  const rows = await world.database.selectFrom('prebuilds').select(['id', 'desired_phase']).execute()
  const going = rows.filter(({ desired_phase }) => desired_phase === 'deleted').map(({ id }) => id)
  expect(going).toEqual([oldest])
  expect(rows).toHaveLength(stays.length + 1)
  const { rows: jobs } = await sql<{ payload: { id: string } }>`
    SELECT payload FROM graphile_worker._private_jobs`.execute(world.database)
  expect(jobs.map(({ payload }) => payload.id)).toEqual([oldest])
})
