import type { Presence } from '@hearth/contract'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Heartbeats } from './heartbeats.ts'

const log = pino({ level: 'silent' })
const beat = (runnerId: string, changes: Partial<Presence> = {}) =>
  ({ runnerId, epoch: 1, sentAt: '2026-01-01T00:00:00.000Z', ...changes }) as Presence
const dataFault = () => Object.assign(new Error('integer out of range'), { code: '22003' })

function setUp(note: (ids: string[]) => void | Promise<void>) {
  const unusable: string[] = []
  const heartbeats = new Heartbeats({
    note: async (presences) => note(presences.map(({ runnerId }) => runnerId)),
    gatherMilliseconds: 1,
    log,
    onUnusable: ({ runnerId }) => unusable.push(runnerId),
  })
  return { heartbeats, unusable }
}

test('heartbeats of one moment are written together, and each resolves when it is written', async () => {
  const noted: string[][] = []
  const { heartbeats } = setUp((ids) => void noted.push(ids))
  await Promise.all([heartbeats.take(beat('a')), heartbeats.take(beat('b'))])
  expect(noted).toEqual([['a', 'b']])
  await heartbeats.take(beat('c'))
  expect(noted).toEqual([['a', 'b'], ['c']])
})

test('of many heartbeats of one runner only the newest is written', async () => {
  const noted: Presence[] = []
  const heartbeats = new Heartbeats({
    note: async (presences) => void noted.push(...presences),
    gatherMilliseconds: 1,
    log,
    onUnusable: () => undefined,
  })
  const leaving = beat('a', { sentAt: '2026-01-01T00:00:09.000Z', leaving: true })
  await Promise.all([
    ...Array.from({ length: 1_000 }, () => heartbeats.take(beat('a'))),
    heartbeats.take(leaving),
    heartbeats.take(beat('a', { sentAt: '2026-01-01T00:00:08.000Z' })),
  ])
  expect(noted).toEqual([leaving])
})

test('a heartbeat that cannot be written costs no other runner its heartbeat', async () => {
  const noted: string[] = []
  const { heartbeats, unusable } = setUp((ids) => {
    if (ids.includes('bad')) throw dataFault()
    noted.push(...ids)
  })
  await Promise.all(['a', 'b', 'bad', 'c', 'd'].map((id) => heartbeats.take(beat(id))))
  expect(noted.sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(unusable).toEqual(['bad'])
})

test('after a failed write the next heartbeats are written', async () => {
  const noted: string[] = []
  let fails = true
  const { heartbeats, unusable } = setUp((ids) => {
    if (fails) throw new Error('the database is away')
    noted.push(...ids)
  })
  await heartbeats.take(beat('a'))
  fails = false
  await heartbeats.take(beat('b'))
  expect(noted).toEqual(['b'])
  expect(unusable).toEqual([])
})
