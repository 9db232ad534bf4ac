import { pipelineEventLimits } from '@hearth/contract'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '../../database/transact.ts'
import { now, World } from '../world.fixture.ts'
import { makePipeline } from './pipeline.fixture.ts'
import { pipelines, readPipelineEvents } from './queries.ts'
import { recordSilent } from './record.ts'
import { changePipelineRow, type PipelineChange } from './write.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const log = pino({ level: 'silent' })
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const change = (id: string, changed: PipelineChange) =>
  transact(world.database, async (tx) => {
    const row = await pipelines.lockById(tx, id)
    if (row === undefined) throw new Error('no such pipeline')
    return changePipelineRow(tx, row, changed)
  })
const events = (id: string) => readPipelineEvents(world.database, id, { limit: 1_000 })
const newPipeline = async () => makePipeline(await world.party())

test('two statuses that change within a millisecond are two events, in order, and times never go back', async () => {
  const id = await newPipeline()
  await change(id, { program: 'checking', now: later(1) })
  await change(id, { program: 'checked', now: later(1) })
  await change(id, { program: 'building', now: later(0.5) })
  const rows = await events(id)
  expect(rows.map(({ statuses }) => statuses.programStatus)).toEqual(['building', 'checked', 'checking'])
  expect(rows.map(({ sequence }) => sequence)).toEqual(['3', '2', '1'])
  const times = rows.map(({ recorded_at }) => recorded_at.getTime())
  expect(times).toEqual([later(1), later(1), later(1)].map((time) => time.getTime()))
  expect(new Set(rows.map(({ id: event }) => event)).size).toBe(3)
})

test('one that is rolled back is not there, and leaves no gap', async () => {
  const id = await newPipeline()
  await change(id, { program: 'checking', now: later(1) })
  const failed = transact(world.database, async (tx) => {
    const row = await pipelines.lockById(tx, id)
    if (row !== undefined) await changePipelineRow(tx, row, { program: 'check_error', now: later(2) })
    throw new Error('the control plane is killed')
  })
  await expect(failed).rejects.toThrow('killed')
  await change(id, { program: 'checked', now: later(3) })
  expect((await events(id)).map(({ sequence, statuses }) => [sequence, statuses.programStatus])).toEqual([
    ['2', 'checked'],
    ['1', 'checking'],
  ])
})

test('details alone are written ten seconds later, once, and silence every ten minutes', async () => {
  const id = await newPipeline()
  await change(id, { program: 'checking', now: later(0) })
  await change(id, { status: { runtimeDetails: { reason: 'reads' } }, now: later(3) })
  await change(id, { status: { runtimeDetails: { reason: 'writes' } }, now: later(4) })
  await recordSilent(world.database, later(9), log)
  expect(await events(id)).toHaveLength(1)
  await recordSilent(world.database, later(10), log)
  await recordSilent(world.database, later(11), log)
  const [newest, ...others] = await events(id)
  expect(newest?.details.runtimeDetails).toEqual({ reason: 'writes' })
  expect(others).toHaveLength(1)
  const silence = pipelineEventLimits.silenceSeconds
  await recordSilent(world.database, later(9 + silence), log)
  expect(await events(id)).toHaveLength(2)
  await recordSilent(world.database, later(10 + silence), log)
  expect(await events(id)).toHaveLength(3)
})

test('the newest 720 are kept, and one costs as many rows however many there are', async () => {
  const id = await newPipeline()
  for (let index = 1; index <= pipelineEventLimits.kept + 5; index += 1)
    await change(id, {
      runtime: index % 2 === 0 ? 'running' : 'paused',
      resources: 'provisioned',
      now: later(index),
    })
  const rows = await events(id)
  expect(rows).toHaveLength(pipelineEventLimits.kept)
  expect([rows[0]?.sequence, rows.at(-1)?.sequence]).toEqual(['725', '6'])
}, 60_000)

test('each status says since when it is so, and a phase is what its machine or its program does', async () => {
  const id = await newPipeline()
  await change(id, { resources: 'provisioning', desired: 'provisioned', now: later(1) })
  await change(id, { resources: 'provisioned', runtime: 'initializing', now: later(2) })
  const row = await change(id, { runtime: 'running', desired_runtime: 'running', now: later(3) })
  expect(row.phase).toBe('running')
  const at = (seconds: number) => later(seconds).toISOString()
  expect(row.status.since).toMatchObject({
    ...{ resources: at(2), desired: at(1), runtime: at(3), phase: at(3) },
    ...{ desiredRuntime: at(3), desiredPhase: at(1), program: at(0) },
  })
  const stopped = await change(id, {
    resources: 'stopping',
    desired: 'stopped',
    runtime: null,
    now: later(4),
  })
  expect([stopped.phase, stopped.status.since.runtime, stopped.status.since.phase]).toEqual([
    'stopping',
    null,
    at(4),
  ])
})

test('one that cannot be recorded keeps no other from it', async () => {
  const ids = [await newPipeline(), await newPipeline(), await newPipeline()]
  const [first = '', good = '', last = ''] = ids
  for (const id of ids) await change(id, { program: 'checking', now: later(1) })
  await world.database
    .updateTable('pipelines')
    .set({ event_sequence: '9223372036854775807' })
    .where('id', 'in', [first, last])
    .execute()
  await recordSilent(world.database, later(2 + pipelineEventLimits.silenceSeconds), log)
  expect(await events(good)).toHaveLength(2)
  expect(await events(first)).toHaveLength(1)
})
