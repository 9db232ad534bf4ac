import type { Presence } from '@hearth/contract'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Heartbeats } from './heartbeats.ts'

const log = pino({ level: 'silent' })
const beat = (runnerId: string) => ({ runnerId }) as Presence

test('heartbeats of one moment are noted together, and each is told when it is', async () => {
  const noted: string[][] = []
  const heartbeats = new Heartbeats(
    async (presences) => void noted.push(presences.map(({ runnerId }) => runnerId)),
    5,
    log,
  )
  await Promise.all([heartbeats.take(beat('a')), heartbeats.take(beat('b'))])
  expect(noted).toEqual([['a', 'b']])
  await heartbeats.take(beat('c'))
  expect(noted).toEqual([['a', 'b'], ['c']])
})

test('those that could not be noted do not keep the next ones from being', async () => {
  const noted: string[] = []
  let fails = true
  const heartbeats = new Heartbeats(
    async (presences) => {
      if (fails) throw new Error('the database is away')
      noted.push(...presences.map(({ runnerId }) => runnerId))
    },
    1,
    log,
  )
  await heartbeats.take(beat('a'))
  fails = false
  await heartbeats.take(beat('b'))
  expect(noted).toEqual(['b'])
})
