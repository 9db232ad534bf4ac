import { snapshotSeconds } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { now, type Party, type Pool, secondsAgo, World } from '../world.fixture.ts'
import { collectSnapshots } from './collect.ts'
import { snapshotReconciler } from './reconcile.ts'

let world: World
let party: Party
let pool: Pool
/** A machine whose checkpoints are counted. */
let machine: string

beforeEach(async () => {
  world = await World.create()
  party = await world.party()
  pool = await party.pool(await party.project())
  machine = newId()
})
afterEach(() => world[Symbol.asyncDispose]())

const day = 86_400
type Change = NonNullable<Parameters<Party['snapshot']>[2]>
const held = { phase: 'present' } as const
const make = (phase: 'ready' | 'failed' | 'creating', change: Change) =>
  party.snapshot(pool, phase, { environment_id: machine, holder: held, ...change })
const checkpoint = (age = 0, change: Change = {}) =>
  make('ready', { purpose: 'checkpoint', created_at: secondsAgo(age), ...change })

async function keep(snapshots: { keep: number; days: number }): Promise<void> {
  const { spec } = await world.database
    .selectFrom('projects')
    .select('spec')
    .where('id', '=', pool.projectId)
    .executeTakeFirstOrThrow()
  await world.database
    .updateTable('projects')
    .set({ spec: JSON.stringify({ ...spec, snapshots }) })
    .where('id', '=', pool.projectId)
    .execute()
}

/** Why each snapshot that is going goes, by id. */
async function going(): Promise<Record<string, string | null>> {
  await collectSnapshots(world)
  const rows = await world.database
    .selectFrom('snapshots')
    .select(['id', 'phase', 'deletion'])
    .where('desired_phase', '=', 'deleted')
    .execute()
  expect(rows.map(({ phase }) => phase)).toEqual(rows.map(() => 'deleting'))
  return Object.fromEntries(rows.map(({ id, deletion }) => [id, deletion?.reason ?? null]))
}

test('of the checkpoints of a machine the newest so many are kept, of each machine by itself', async () => {
  await keep({ keep: 2, days: 14 })
  const [oldest, older] = [await checkpoint(), await checkpoint(), await checkpoint(), await checkpoint()]
  for (let made = 0; made < 2; made += 1) await checkpoint(0, { environment_id: newId() })
  expect(await going()).toEqual({ [oldest]: 'too_many', [older]: 'too_many' })
})

test('a checkpoint that failed takes no place of one that is ready', async () => {
  await keep({ keep: 1, days: 14 })
  await checkpoint()
  await make('failed', { purpose: 'checkpoint' })
  await make('creating', { purpose: 'checkpoint' })
  expect(await going()).toEqual({})
})

test('checkpoints older than the project keeps them go, failed ones too; a project that says nothing keeps 14 days', async () => {
  const [old] = [await checkpoint(15 * day), await checkpoint(13 * day)]
  const failed = await make('failed', { purpose: 'checkpoint', created_at: secondsAgo(15 * day) })
  expect(await going()).toEqual({ [old]: 'too_old', [failed]: 'too_old' })
})

test('one that a machine was put back to stays as long as that machine', async () => {
  const old = await checkpoint(30 * day)
  const user = await party.environment(pool, 'stopped', { source_snapshot_id: old })
  expect(await going()).toEqual({})
  await world.database.updateTable('environments').set({ phase: 'deleted' }).where('id', '=', user).execute()
  expect(await going()).toEqual({ [old]: 'too_old' })
})

test('the snapshot of forks goes when none uses it, but not before the last could be made', async () => {
  const unused = await make('ready', { purpose: 'fork', created_at: secondsAgo(301) })
  await make('ready', { purpose: 'fork', created_at: secondsAgo(299) })
  const used = await make('ready', { purpose: 'fork', created_at: secondsAgo(301) })
  await party.environment(pool, 'running', { source_snapshot_id: used })
  expect(await going()).toEqual({ [unused]: 'unused' })
})

test('what somebody made to be kept, and what a prebuild made, is not touched', async () => {
  await make('ready', { purpose: 'kept', created_at: secondsAgo(5_000 * day) })
  await make('ready', { purpose: 'prebuild', created_at: secondsAgo(5_000 * day) })
  expect(await going()).toEqual({})
})

test('its runner is told, and it is looked at again when the deadline has passed', async () => {
  const old = await checkpoint(15 * day)
  await going()
  const orders = await world.database
    .selectFrom('outbox')
    .select('topic')
    .where('environment_id', '=', old)
    .execute()
  expect(orders).toEqual([{ topic: 'order' }])
  const wakes = await sql<{ key: string }>`SELECT key FROM graphile_worker.jobs`.execute(world.database)
  expect(wakes.rows.filter(({ key }) => key.includes(old))).toHaveLength(1)
  await world.reconcile(snapshotReconciler, old)
  const timers = await sql<{ run_at: Date }>`
    SELECT run_at FROM graphile_worker.jobs WHERE key = ${`snapshot:${old}:timer`}`.execute(world.database)
  expect(timers.rows.map(({ run_at }) => run_at.getTime())).toEqual([
    now.getTime() + snapshotSeconds.deleting * 1_000,
  ])
})
