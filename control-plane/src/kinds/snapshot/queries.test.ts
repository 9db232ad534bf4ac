import { expect, test } from 'vitest'
import { emptyPrebuildStatus, World } from '../world.fixture.ts'
import { usersOf } from './queries.ts'

test('a snapshot is used by machines, by snapshots above it, and by prebuilds whose disk or template it is', async () => {
  await using world = await World.create()
  const party = await world.party()
  const pool = await party.pool(await party.project())
  const id = await party.snapshot(pool, 'ready', { holder: { phase: 'present' } })
  const machine = await party.environment(pool, 'stopped', { source_snapshot_id: id })
  const child = await party.snapshot(pool, 'ready', { parent_id: id })
  const disk = await party.prebuild(pool, 'completed', { snapshot_id: id })
  const runnerId = await party.runner()
  const template = { runnerId, phase: 'ready', snapshotId: id, failure: null }
  const status = JSON.stringify({ ...emptyPrebuildStatus, templates: [template] })
  const templated = await party.prebuild(pool, 'completed', { status })
  await party.environment(pool, 'deleted', { source_snapshot_id: id })
  await party.environment(pool, 'running')
  await party.snapshot(pool, 'deleted', { parent_id: id })
  await party.prebuild(pool, 'deleted', { snapshot_id: id })
  await party.prebuild(pool, 'completed')
  const users = await usersOf(world.database, id)
  const ids = (of: readonly { id: string }[]) => of.map((one) => one.id)
  expect(ids(users.environments)).toEqual([machine])
  expect(ids(users.children)).toEqual([child])
  expect(ids(users.prebuilds)).toEqual([disk, templated])
})
