import { expect, test } from 'vitest'
import { copyTarget } from './copy-target.ts'
import { candidate, small } from './fleet.fixture.ts'
import { place, type Wanted } from './place.ts'

const none = { virtualCpus: 0, memoryMebibytes: 4096, diskMebibytes: 0 }
const from = (change: Partial<NonNullable<Wanted['source']>> = {}): Wanted => ({
  ...small,
  source: {
    ...{ name: 'snapshot monday', phase: 'ready', runnerIds: ['a'], memoryRunnerIds: [], copies: null },
    isRequired: true,
    ...change,
  },
})

test('a snapshot is copied to the fullest runner that fits, where none that holds it does', () => {
  const fleet = [candidate('a', { reserved: none }), candidate('b'), candidate('c')]
  expect(copyTarget(from(), fleet, new Set(['a']))).toBe('b')
  // The copy for it could not be made.
  expect(copyTarget(from(), fleet, new Set(['a', 'b']))).toBe('c')
  expect(copyTarget(from(), fleet, new Set(['a', 'b', 'c']))).toBeNull()
})

test('a snapshot is not copied where a holder has room, where no other has, or before it is ready', () => {
  expect(copyTarget(from(), [candidate('a'), candidate('b')], new Set(['a']))).toBeNull()
  const full = [candidate('a', { reserved: none }), candidate('b', { reserved: none })]
  expect(copyTarget(from(), full, new Set(['a']))).toBeNull()
  const creating = from({ phase: 'creating', runnerIds: [] })
  expect(copyTarget(creating, [candidate('b')], new Set())).toBeNull()
  const inNeedOfNone = from({ isRequired: false })
  expect(copyTarget(inNeedOfNone, full, new Set(['a']))).toBeNull()
  expect(copyTarget(small, [candidate('a', { reserved: none }), candidate('b')], new Set())).toBeNull()
  // Nobody waits for a snapshot on a host that is tried.
  const probed = [candidate('a', { reserved: none }), candidate('b', { phase: 'degraded', probeDue: true })]
  expect(copyTarget(from(), probed, new Set(['a']))).toBeNull()
})

test('a snapshot is copied to where what starts from it can have its volume', () => {
  const wanted = { ...from(), needs: { work: ['volume' as const], volumeMebibytes: 1_024 } }
  const old = { workKinds: ['environment', 'snapshot'] }
  const holder = candidate('a', old)
  expect(copyTarget(wanted, [holder, candidate('b', old), candidate('c')], new Set(['a']))).toBe('c')
  expect(copyTarget(wanted, [holder, candidate('b', old)], new Set(['a']))).toBeNull()
  expect(place(wanted, [holder, candidate('b', old)]).reason).toBe(
    '2 runners have agents without volumes: update them (host-a, host-b)',
  )
})

test('what waits for a copy says so, beside what its holders lack', () => {
  const copies = 'snapshot monday is being copied to host-b'
  const fleet = [candidate('a', { reserved: none }), candidate('b')]
  const { reason } = place(from({ copies }), fleet)
  expect(reason).toBe(
    `host-a has 0 MiB of memory left of 1024 wanted; host-b lacks snapshot monday; ${copies}`,
  )
})

test('a machine that resumes from the memory is placed where that is, else where a copy of the disk is', () => {
  const wanted = from({ runnerIds: ['a', 'b'], memoryRunnerIds: ['b'] })
  const used = { virtualCpus: 0, memoryMebibytes: 1024, diskMebibytes: 0 }
  const fleet = [candidate('a', { reserved: used }), candidate('b')]
  expect(place(wanted, fleet)).toEqual({
    runnerId: 'b',
    from: 'memory',
    reason: 'on host-b: it holds snapshot monday with its memory, and is the fullest of 1 with room',
  })
  expect(place(wanted, [candidate('a'), candidate('b', { reserved: none })])).toMatchObject({ runnerId: 'a' })
})
