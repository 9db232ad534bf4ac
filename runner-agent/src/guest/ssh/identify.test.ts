import { expect, test } from 'vitest'
import type { GuestMachine } from '../guest.ts'
import { identify } from './identify.ts'
import type { WaitingShells } from './waiting-shell.ts'

const machine = { identity: { randomSeedDigest: '' } } as unknown as GuestMachine

/** A guest whose clock is wrong by so much, and which requests take so long to reach, one after another. */
async function measured(wrongBy: number, delays: readonly number[]) {
  let now = Date.parse('2026-01-01T12:00:00Z')
  let guest = wrongBy
  const left = [...delays]
  let sets = 0
  const shells = {
    execute(_: string, { onStdout }: { onStdout(chunk: Buffer): void }) {
      const say = (text: string) => onStdout(Buffer.from(`${text}\n`))
      say('machine_id 1')
      say('hostname shop-1')
      say('seed x')
      let end: (code: number) => void = () => undefined
      const exitCode = new Promise<number>((resolve) => {
        end = resolve
      })
      const write = (text: string) => {
        const [request, value] = text.trim().split(' ')
        if (request === 'end') end(0)
        if (request === 'set') {
          sets += 1
          guest = Number(value) * 1_000 - now
        }
        if (request !== 'time') return
        now += left.shift() ?? 4
        say(`time ${((now + guest) / 1_000).toFixed(6)}`)
      }
      return Promise.resolve({ exitCode, write })
    },
  } as unknown as WaitingShells
  const clock = { now: () => new Date(now) }
  const { clockOffsetMilliseconds } = await identify(shells, machine, clock, new AbortController().signal)
  return { clockOffsetMilliseconds, guest, sets }
}

test('a clock that is right is measured once', async () => {
  expect(await measured(100, [4, 10_000])).toEqual({ clockOffsetMilliseconds: 102, guest: 100, sets: 0 })
})

test('a clock that is wrong is set, and measured again', async () => {
  const { clockOffsetMilliseconds, guest, sets } = await measured(-3_600_000, [4, 4])
  expect(sets).toBe(1)
  expect(Math.abs(guest)).toBeLessThan(10)
  expect(Math.abs(clockOffsetMilliseconds)).toBeLessThan(10)
})

test('an answer that was too slow to show an error is not believed: the guest is asked again', async () => {
  // Within the three seconds that the first answer took, the clock could be right.
  const { guest, sets } = await measured(-1_300, [3_000, 10, 10])
  expect(sets).toBe(1)
  expect(Math.abs(guest)).toBeLessThan(20)
})

test('a guest that is slow all the time is taken as it is', async () => {
  const slow = Array.from({ length: 9 }, () => 3_000)
  expect(await measured(-200, slow)).toMatchObject({ clockOffsetMilliseconds: 0, guest: -200, sets: 0 })
})
