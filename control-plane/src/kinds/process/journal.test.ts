import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '../../database/transact.ts'
import { World } from '../world.fixture.ts'
import { readJournal, writeJournal } from './journal.ts'

let world: World
let processId: string
beforeAll(async () => {
  world = await World.create()
  const party = await world.party()
  const pool = await party.pool(await party.project())
  processId = await party.task(await party.environment(pool, 'running'), 'running')
})
afterAll(() => world[Symbol.asyncDispose]())

const line = (run: number, offset: number) => ({ run, offset, text: `${run} ${offset}` })
const write = (...lines: ReturnType<typeof line>[]) =>
  transact(world.database, (tx) => writeJournal(tx, processId, lines))
const read = (run = 0, offset = 0) => readJournal(world.database, processId, { run, offset })

test('each line is kept once and in order, however reports repeat and overlap, and an older run’s come no more', async () => {
  expect(await write(line(1, 0), line(1, 9))).toBe(true)
  expect(await write(line(1, 0), line(1, 9))).toBe(false)
  expect(await write(line(1, 9), line(1, 10), line(1, 200))).toBe(true)
  expect(await write(line(2, 3))).toBe(true)
  expect(await write(line(1, 300))).toBe(false)
  expect(await read()).toEqual([line(1, 0), line(1, 9), line(1, 10), line(1, 200), line(2, 3)])
  expect(await read(1, 10)).toEqual([line(1, 200), line(2, 3)])
  expect(await read(2, 3)).toEqual([])
})

test('the newest 256 are kept', async () => {
  for (let part = 0; part < 20; part += 1)
    await write(...Array.from({ length: 20 }, (_, index) => line(3, part * 20 + index)))
  const kept = await read()
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([256, line(3, 144), line(3, 399)])
})
