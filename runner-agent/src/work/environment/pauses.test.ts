import { FixedClock } from '@hearth/foundation'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { PausedMachine } from '../../host/machine.ts'
import { Pauses } from './pauses.ts'

const gibibyte = 1024 ** 3

function setUp() {
  const world = { paused: [] as PausedMachine[], free: 0, resumed: [] as string[], changed: [] as string[] }
  const clock = new FixedClock(new Date('2026-01-01T00:00:00Z'))
  const pauses = new Pauses({
    host: { machines: { paused: async () => world.paused }, freeDiskBytes: async () => world.free },
    clock,
    log: pino({ enabled: false }),
    resumeFreeBytes: gibibyte,
    lookMilliseconds: 5,
  })
  const stop = new AbortController()
  const run = () =>
    pauses.run(
      {
        pauseChanged: (id) => world.changed.push(id),
        resume: async (id) => {
          world.resumed.push(id)
          world.paused = world.paused.filter(({ environmentId }) => environmentId !== id)
        },
      },
      stop.signal,
    )
  return { world, clock, pauses, run, stop }
}

test('a pause keeps its start for as long as its reason stays the same', async () => {
  const { world, clock, pauses } = setUp()
  world.paused = [{ environmentId: 'a', reason: 'io_error' }]
  expect(await pauses.look()).toEqual(['a'])
  clock.advance(60_000)
  expect(await pauses.look()).toEqual([])
  expect(pauses.of('a')).toEqual({ reason: 'io_error', since: '2026-01-01T00:00:00.000Z' })
  world.paused = [{ environmentId: 'a', reason: 'suspended' }]
  expect(await pauses.look()).toEqual(['a'])
  expect(pauses.of('a')).toEqual({ reason: 'suspended', since: '2026-01-01T00:01:00.000Z' })
  world.paused = []
  expect(await pauses.look()).toEqual(['a'])
  expect(pauses.of('a')).toBeNull()
})

test('heartbeats say how many machines are paused, and why', async () => {
  const { world, pauses } = setUp()
  expect(pauses.warnings).toEqual([])
  world.paused = [
    { environmentId: 'a', reason: 'suspended' },
    { environmentId: 'b', reason: 'io_error' },
    { environmentId: 'c', reason: 'io_error' },
  ]
  await pauses.look()
  expect(pauses.warnings).toEqual([
    expect.stringMatching(/^2 machines stand still: .*disk of this host is full/),
    expect.stringMatching(/^1 machine stands still: somebody on this host suspended it/),
  ])
})

test('a machine that waits for space is resumed when there is enough; a suspended one never by itself', async () => {
  const { world, run, stop } = setUp()
  world.paused = [
    { environmentId: 'full', reason: 'io_error' },
    { environmentId: 'held', reason: 'suspended' },
    { environmentId: 'odd', reason: 'other' },
  ]
  world.free = gibibyte - 1
  const ended = run()
  await expect.poll(() => world.changed).toEqual(['full', 'held', 'odd'])
  expect(world.resumed).toEqual([])
  world.free = gibibyte
  await expect.poll(() => world.changed).toEqual(['full', 'held', 'odd', 'full'])
  expect(world.resumed).toEqual(['full'])
  stop.abort()
  await ended
})

test('a look requested during another one sees later changes', async () => {
  const { world, pauses } = setUp()
  const first = pauses.look()
  await Promise.resolve()
  world.paused = [{ environmentId: 'a', reason: 'suspended' }]
  const second = pauses.look()
  expect(pauses.look()).toBe(second)
  expect([...(await first), ...(await second)]).toEqual(['a'])
})
