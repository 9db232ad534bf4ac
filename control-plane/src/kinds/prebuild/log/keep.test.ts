import type { LogChunk } from '@hearth/contract'
import { messagingStub } from '@hearth/testing'
import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Services } from '../../../api/services.ts'
import { now, type Party, secondsAgo, World } from '../../world.fixture.ts'
import { prebuilds } from '../queries.ts'
import { keepLogs, mostLogBytes, readPrebuildLog } from './keep.ts'

const rest = '\n[the rest is not kept]\n'
const head = '== project_setup\n'
let world: World
let party: Party
beforeAll(async () => {
  world = await World.create()
  party = await world.party()
})
afterAll(() => world[Symbol.asyncDispose]())

/** A prebuild that has ended, and whose machine printed something. */
async function ended(secondsBefore = 60): Promise<{ id: string; environmentId: string }> {
  const pool = await party.pool(await party.project(), { min: 0 })
  const environmentId = await party.environment(pool, 'deleted', { runner_id: await party.runner() })
  const ended_at = secondsAgo(secondsBefore)
  const id = await party.prebuild(pool, 'completed', { ended_at, environment_id: environmentId })
  return { id, environmentId }
}

const chunk = (offset: number, text: string, step = 'project_setup'): LogChunk => ({
  ...{ environmentId: '', step, offset, text, end: false, time: now.toISOString() },
})
/** One after another, as the stream has them. */
function chunks(...texts: string[]): LogChunk[] {
  let offset = 0
  return texts.map((text) => {
    const made = chunk(offset, text)
    offset += Buffer.byteLength(text)
    return made
  })
}

/** A replica to which NATS gives these pieces for a machine, once `begin` resolves; what it warns of is kept. */
function replica(of: { environmentId: string }, seen: readonly LogChunk[], begin = async () => undefined) {
  const warnings: string[] = []
  const messaging = messagingStub({
    async *readLogs(_, environmentId) {
      await begin()
      if (environmentId === of.environmentId) yield* seen
    },
  })
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) })
  const { database, clock } = world
  const services = { database, clock, log, messaging, stopping: new AbortController().signal }
  return { services: services as unknown as Services, warnings }
}

async function keep(of: { id: string; environmentId: string }, seen: readonly LogChunk[]): Promise<string> {
  const { services, warnings } = replica(of, seen)
  await keepLogs(services)
  expect(warnings).toEqual([])
  return kept(of.id, services)
}

/** The log as it is kept; rejects where it is not. */
async function kept(id: string, services: Services): Promise<string> {
  const row = await prebuilds.readById(world.database, id)
  if (row?.log_kept !== true) throw new Error('it is not kept')
  const signal = AbortSignal.timeout(5_000)
  let text = ''
  for await (const part of readPrebuildLog(services, row, { follow: true, signal })) text += part
  return text
}

test('a log is kept as it was printed, each step under its name, pieces that came twice once', async () => {
  const seen = [
    ...chunks('made\n', 'more'),
    ...chunks('made\n', 'more').slice(1),
    chunk(0, 'cloned\n', 'clone_repo'),
  ]
  expect(await keep(await ended(), seen)).toBe(`${head}made\nmore\n== clone_repo\ncloned\n`)
})

test('of a large one the first 4 MiB are kept, no character is cut, and it says that there was more', async () => {
  const piece = `${'ä'.repeat(50_000)}\n`
  const text = await keep(await ended(), chunks(...Array.from({ length: 60 }, () => piece)))
  expect(text.startsWith(head + piece)).toBe(true)
  expect(text.endsWith(rest)).toBe(true)
  const bytes = Buffer.byteLength(text) - Buffer.byteLength(rest)
  expect(bytes).toBeLessThanOrEqual(mostLogBytes)
  expect(bytes).toBeGreaterThan(mostLogBytes - 2)
  expect(text).not.toContain('\uFFFD')
  const { rows } = await sql<{
    most: number
  }>`SELECT max(octet_length(text)) AS most FROM prebuild_logs`.execute(world.database)
  expect(rows[0]?.most).toBeLessThanOrEqual(64 * 1024)
})

test('one of exactly 4 MiB is kept whole, and what comes right behind them is told', async () => {
  const whole = 'x'.repeat(mostLogBytes - Buffer.byteLength(head))
  expect(await keep(await ended(), chunks(whole))).toBe(head + whole)
  expect(await keep(await ended(), chunks(whole, 'more'))).toBe(head + whole + rest)
})

test('what PostgreSQL cannot keep of a hostile guest is replaced', async () => {
  expect(await keep(await ended(), chunks('a\0b \ud800 c'))).toBe(`${head}a\uFFFDb \uFFFD c`)
})

test('of replicas that keep it at once one does, whole', async () => {
  const of = await ended()
  let begun = 0
  let open: (() => void) | undefined
  const both = new Promise<void>((resolve) => {
    open = resolve
  })
  // Each has read the prebuild as unkept before any has written.
  const begin = async () => {
    begun += 1
    if (begun === 2) open?.()
    await both
    return undefined
  }
  const short = replica(of, chunks('one'), begin)
  const long = replica(of, chunks('two\n'.repeat(50_000)), begin)
  await Promise.all([keepLogs(short.services), keepLogs(long.services)])
  expect([...short.warnings, ...long.warnings]).toEqual([])
  expect([`${head}one`, head + 'two\n'.repeat(50_000)]).toContain(await kept(of.id, short.services))
})

test('one that has ended a moment ago waits for its last lines, and one of yesterday is given up', async () => {
  for (const seconds of [5, 24 * 3_600 + 1]) {
    const of = await ended(seconds)
    await expect(keep(of, chunks('made'))).rejects.toThrow('it is not kept')
  }
})

test('a prebuild that is deleted while its log is read keeps none', async () => {
  const of = await ended()
  const remove = async () => {
    await world.database.deleteFrom('prebuilds').where('id', '=', of.id).execute()
    return undefined
  }
  const { services, warnings } = replica(of, chunks('made'), remove)
  await keepLogs(services)
  expect(warnings).toEqual([])
  const rows = await world.database
    .selectFrom('prebuild_logs')
    .select('position')
    .where('prebuild_id', '=', of.id)
    .execute()
  expect(rows).toEqual([])
})
