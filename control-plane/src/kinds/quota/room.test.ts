import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MachineLimits, type MachineUse, roomFor, useOfOne, useOfStart } from './room.ts'

const none: MachineLimits = {
  environments: null,
  running: null,
  virtualCpus: null,
  memoryMebibytes: null,
  diskGibibytes: null,
}
const nothing: MachineUse = {
  environments: 0,
  running: 0,
  virtualCpus: 0,
  memoryMebibytes: 0,
  diskGibibytes: 0,
}
const medium = useOfOne({ virtualCpus: 2, memoryMebibytes: 4_096, diskGibibytes: 20 })

const rows: [what: string, limits: Partial<MachineLimits>, use: Partial<MachineUse>, count: number][] = [
  ['no limit', {}, { environments: 5_000 }, 10],
  ['all fit', { environments: 10 }, {}, 10],
  ['some fit', { environments: 10 }, { environments: 7 }, 3],
  ['none fits', { environments: 10 }, { environments: 10 }, 0],
  ['more is there than is allowed', { environments: 10 }, { environments: 12 }, 0],
  ['what is left of a size is too small for one', { virtualCpus: 9 }, { virtualCpus: 8 }, 0],
  ['the quota that leaves the least room counts', { environments: 9, memoryMebibytes: 8_192 }, {}, 2],
  ['a limit of nothing', { running: 0 }, {}, 0],
]
test.each(rows)('%s', (_, limits, use, count) => {
  expect(roomFor({ ...none, ...limits }, { ...nothing, ...use }, medium, 10).count).toBe(count)
})

test('the refusal names the quota, its limit and its use', () => {
  const limits = { ...none, environments: 20, diskGibibytes: 50 }
  const use = { ...nothing, environments: 1, diskGibibytes: 20 }
  expect(roomFor(limits, use, medium, 3)).toEqual({
    count: 1,
    short: { quota: 'diskGibibytes', limit: 50, use: 20 },
  })
})

test('a start needs room for one more running machine, and for nothing else', () => {
  const full = { ...none, environments: 3, virtualCpus: 6 }
  const use = { ...nothing, environments: 3, virtualCpus: 6, running: 1 }
  expect(roomFor(full, use, useOfStart, 1)).toEqual({ count: 1, short: null })
  expect(roomFor({ ...full, running: 1 }, use, useOfStart, 1).count).toBe(0)
})

test('the number that fits never exceeds a limit, and one more would', () => {
  const amount = fc.nat({ max: 1_000 })
  const limit = fc.option(amount, { nil: null })
  const machine = fc.record({
    virtualCpus: fc.integer({ min: 1, max: 64 }),
    memoryMebibytes: amount,
    diskGibibytes: amount,
  })
  const uses = fc.record({
    environments: amount,
    running: amount,
    virtualCpus: amount,
    memoryMebibytes: amount,
    diskGibibytes: amount,
  })
  const limits = fc.record({
    environments: limit,
    running: limit,
    virtualCpus: limit,
    memoryMebibytes: limit,
    diskGibibytes: limit,
  })
  fc.assert(
    fc.property(limits, uses, machine, amount, (allowed, use, size, wanted) => {
      const each = useOfOne(size)
      const { count, short } = roomFor(allowed, use, each, wanted)
      const fits = (more: number) =>
        Object.entries(allowed).every(
          ([quota, most]) =>
            most === null ||
            each[quota as keyof MachineUse] === 0 ||
            use[quota as keyof MachineUse] + more * each[quota as keyof MachineUse] <= most,
        )
      expect(count).toBeLessThanOrEqual(wanted)
      if (count > 0) expect(fits(count)).toBe(true)
      if (count < wanted) expect(fits(count + 1)).toBe(false)
      expect(short === null).toBe(count === wanted)
    }),
  )
})
