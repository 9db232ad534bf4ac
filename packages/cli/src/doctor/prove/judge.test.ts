import { expect, test } from 'vitest'
import type { Inside } from './inside.ts'
import { type Expected, judge } from './judge.ts'

const seen = (name: string, change: Partial<Inside> = {}): Inside => ({
  machineId: `id of ${name}`,
  hostname: name,
  hostKey: `key of ${name}`,
  random: `random of ${name}`,
  clock: { milliseconds: 3, uncertainty: 1 },
  note: 'before',
  isCounting: true,
  ...change,
})
const origin = seen('origin')
const fork: Expected = { from: 'memory', note: 'before', isCounting: true, identity: 'own' }
const restored: Expected = { ...fork, identity: 'same' }
const memory = { from: 'memory', snapshotId: null, incarnation: 1, reason: null } as const

test('a fork that is itself, and has what its origin had, is as it should be', () => {
  expect(judge(seen('one'), memory, fork, [origin, seen('two')])).toEqual([])
})

test.each([
  [{ machineId: 'id of origin' }, 'its machine id is that of another machine'],
  [{ hostname: 'origin' }, 'its host name is that of another machine'],
  [{ hostKey: 'key of origin' }, 'its host key is that of another machine'],
  [{ random: 'random of origin' }, 'its random numbers are those of another machine'],
  [{ machineId: '' }, 'it has no machine id'],
  [{ clock: { milliseconds: -502, uncertainty: 1 } }, 'its clock is wrong by -502 ms'],
  [{ clock: { milliseconds: Number.NaN, uncertainty: 0 } }, 'its clock is wrong by NaN ms'],
  [{ note: '' }, 'its file says "", not "before"'],
  [{ isCounting: false }, 'the program that ran does not run on'],
] as const)('a fork with %o is found', (change, fault) => {
  expect(judge(seen('one', change), memory, fork, [origin])).toEqual([fault])
})

test('a clock is wrong only where the way to the guest and back does not explain it', () => {
  const slow = { clock: { milliseconds: -900, uncertainty: 450 } }
  expect(judge(seen('one', slow), memory, fork, [origin])).toEqual([])
})

test('what started from something slower says why', () => {
  const disk = { ...memory, from: 'disk', reason: 'QEMU is another' } as const
  expect(judge(seen('one'), disk, fork, [origin])).toEqual([
    'it started from the disk, not the memory: QEMU is another',
  ])
  expect(judge(seen('one'), null, fork, [origin])).toEqual(['its runner does not say what it started from'])
})

test('a machine that was put back is who it was, with other random numbers', () => {
  expect(judge(seen('origin', { random: 'others' }), memory, restored, [origin])).toEqual([])
  expect(judge(seen('other'), memory, restored, [origin])).toEqual([
    'its machine id is another than before',
    'its host name is another than before',
    'its host key is another than before',
  ])
  expect(judge(origin, memory, restored, [{ ...origin }])).toEqual([
    'its random numbers are those of another machine',
  ])
})

test('what cannot be looked at in a pretended machine is not judged', () => {
  const pretended = { hostKey: null, random: null, note: null, isCounting: null }
  expect(judge(seen('one', pretended), memory, fork, [seen('origin', pretended)])).toEqual([])
})

test('a program that runs after a boot has no business there', () => {
  const cold: Expected = { ...fork, from: 'disk', isCounting: false }
  expect(judge(seen('one'), { ...memory, from: 'disk' }, cold, [origin])).toEqual([
    'a program runs that should not',
  ])
})
