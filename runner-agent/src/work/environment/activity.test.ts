import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Guest } from '../../guest/guest.ts'
import { Activity, type WatchedMachine } from './activity.ts'

const silent = pino({ level: 'silent' })
const signal = new AbortController().signal

function setting(idleSeconds: number) {
  let now = 0
  let told = 0
  let isOwnVisit = false
  let connected: boolean | null = false
  let inside: string | null = ''
  const activity = new Activity({
    machines: {
      connected: async (ids) => new Map(ids.map((id) => [id, connected])),
      look: async () => ({ address: { port: 22 }, identity: {} }) as never,
    },
    openGuest: () => ({ readFiles: async () => [inside, null], close: () => undefined }) as unknown as Guest,
    log: silent,
    now: () => now,
    lookMilliseconds: 10_000,
  })
  const machine: WatchedMachine = {
    id: 'a',
    idleSeconds,
    ownConnections: 0,
    isBusy: false,
    isOwnVisit: () => isOwnVisit,
    tellAgain: () => {
      told += 1
    },
  }
  return {
    activity,
    told: () => told,
    async lookAt(
      seconds: number,
      seen: Partial<{ connected: boolean | null; visit: boolean; inside: string }> = {},
    ) {
      now = seconds * 1000
      connected = seen.connected === undefined ? false : seen.connected
      isOwnVisit = seen.visit ?? false
      inside = seen.inside ?? ''
      await activity.look([machine], signal)
    },
  }
}

test('use is told about once a minute, however often it is looked at, and how long ago it was', async () => {
  const { activity, lookAt, told } = setting(3_600)
  for (let seconds = 0; seconds < 600; seconds += 10) await lookAt(seconds, { connected: seconds < 300 })
  expect(told()).toBe(10)
  expect(activity.of('a')).toEqual({ secondsAgo: 300 })
})

test('a machine that nobody was seen in is told as such, and one that is not watched not at all', async () => {
  const { activity, lookAt } = setting(60)
  expect(activity.of('a')).toBeUndefined()
  await lookAt(0)
  expect(activity.of('a')).toEqual({ secondsAgo: null })
  await activity.look([], signal)
  expect(activity.of('a')).toBeUndefined()
})

test('what may be the agent’s own visit is neither use nor the lack of it', async () => {
  const { activity, lookAt, told } = setting(60)
  await lookAt(0, { connected: true, visit: true })
  expect([activity.of('a'), told()]).toEqual([undefined, 0])
})

test('a guest that the host cannot see into is asked itself, where one connection is the agent’s', async () => {
  const { activity, lookAt } = setting(60)
  const row = '   1: 0100007F:0016 0100007F:C350 01 00000000:00000000'
  await lookAt(0, { connected: null, inside: row })
  expect(activity.of('a')).toEqual({ secondsAgo: null })
  await lookAt(60, { connected: null, inside: `${row}\n${row}` })
  expect(activity.of('a')).toEqual({ secondsAgo: 0 })
})
