import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candidate, factsOfHost, small } from './fleet.fixture.ts'
import { type Candidate, place, type Wanted, type WantedSource } from './place.ts'

test('the fullest runner that still fits is chosen', () => {
  const half = { virtualCpus: 1, memoryMebibytes: 2048, diskMebibytes: 20_480 }
  const full = { virtualCpus: 1, memoryMebibytes: 4000, diskMebibytes: 20_480 }
  const fleet = [candidate('a'), candidate('b', { reserved: half }), candidate('c', { reserved: full })]
  expect(place(small, fleet)).toMatchObject({ runnerId: 'b' })
})

test('one with a free boot slot comes before the fullest, and where none has one the fullest takes it', () => {
  const slots = { facts: { ...factsOfHost, bootSlots: 2 } }
  const fuller = { ...slots, reserved: { virtualCpus: 1, memoryMebibytes: 2048, diskMebibytes: 20_480 } }
  const busy = candidate('b', { ...fuller, booting: 2 })
  expect(place(small, [candidate('a', slots), busy])).toMatchObject({
    runnerId: 'a',
    reason: 'on host-a: the fullest of 1 with room and a free boot slot',
  })
  expect(place(small, [candidate('a', { ...slots, booting: 3 }), busy])).toMatchObject({ runnerId: 'b' })
  expect(place(small, [candidate('a', { ...slots, booting: 1 }), candidate('b', fuller)])).toMatchObject({
    runnerId: 'b',
  })
})

test.each<[string, Partial<Wanted>, Partial<Candidate>]>([
  ['is offline', {}, { phase: 'offline' }],
  ['is cordoned', {}, { spec: { region: 'default', scheduling: 'cordoned' } }],
  ['is in region default, not north', { region: 'north' }, {}],
  ['lacks the label disk=fast', { runnerSelector: { disk: 'fast' } }, { labels: { disk: 'slow' } }],
  ['lacks the image alpine', { image: 'alpine' }, {}],
  ['has 0 virtual CPUs left', {}, { reserved: { virtualCpus: 16, memoryMebibytes: 0, diskMebibytes: 0 } }],
  [
    'has 1000 MiB of memory left',
    {},
    { reserved: { virtualCpus: 0, memoryMebibytes: 3096, diskMebibytes: 0 } },
  ],
  ['has 5 GiB of disk left', {}, { reserved: { virtualCpus: 0, memoryMebibytes: 0, diskMebibytes: 97_280 } }],
])('a runner that %s is refused with that reason', (reason, wanted, change) => {
  const placement = place({ ...small, ...wanted }, [candidate('a', change)])
  expect(placement.runnerId).toBeNull()
  expect(placement.reason).toContain(`host-a ${reason}`)
})

const withVolume: Wanted = { ...small, needs: { work: ['process', 'volume'], volumeMebibytes: 2_049 } }

test('what is made with a volume is placed where the agent has volumes, though others are fuller', () => {
  const half = { virtualCpus: 1, memoryMebibytes: 2048, diskMebibytes: 20_480 }
  const old = candidate('b', { reserved: half, workKinds: ['environment', 'process'] })
  expect(place(withVolume, [candidate('a'), old])).toMatchObject({ runnerId: 'a' })
  expect(place(small, [candidate('a'), old])).toMatchObject({ runnerId: 'b' })
})

test.each<[string, Partial<Candidate>]>([
  ['has an agent without volumes: update it', { workKinds: ['environment', 'process'] }],
  ['has an agent without tasks and services: update it', { workKinds: ['environment', 'volume'] }],
  ['has not said yet what its agent can do', { workKinds: null }],
  [
    'has 12 GiB of disk left of 13 wanted',
    { reserved: { virtualCpus: 0, memoryMebibytes: 0, diskMebibytes: 90_112 } },
  ],
])('a runner that %s is refused for what is made with a volume', (reason, change) => {
  expect(place(withVolume, [candidate('a', change)])).toMatchObject({
    runnerId: null,
    reason: `host-a ${reason}`,
  })
})

test('what is brought files is placed where the agent brings them', () => {
  const wanted: Wanted = { ...small, needs: { work: [], volumeMebibytes: 0, bringsInputs: true } }
  const { bringsInputs: _, ...facts } = factsOfHost
  const old = candidate('a', { facts })
  expect(place(wanted, [old, candidate('b')])).toMatchObject({ runnerId: 'b' })
  expect(place(wanted, [old]).reason).toBe(
    'host-a has an agent that brings no files into machines: update it',
  )
  expect(place(small, [old])).toMatchObject({ runnerId: 'a' })
})

test('room for volumes is compared to the MiB, and said in whole GiB', () => {
  const left = 11 * 1_024 - 64
  const host = candidate('a', {
    reserved: { virtualCpus: 0, memoryMebibytes: 0, diskMebibytes: 100 * 1_024 - left },
  })
  const of = (volumeMebibytes: number): Wanted => ({ ...small, needs: { work: ['volume'], volumeMebibytes } })
  expect(place(of(960), [host])).toMatchObject({ runnerId: 'a' })
  expect(place(of(961), [host])).toMatchObject({
    runnerId: null,
    reason: 'host-a has 10 GiB of disk left of 11 wanted',
  })
})

test('runners with agents that are too old are told together', () => {
  const old = { workKinds: ['environment', 'process'] }
  expect(place(withVolume, [candidate('a', old), candidate('b', old)]).reason).toBe(
    '2 runners have agents without volumes: update them (host-a, host-b)',
  )
})

const before: WantedSource = {
  name: 'snapshot before',
  phase: 'ready',
  runnerIds: ['a'],
  memoryRunnerIds: [],
  isRequired: true,
  copies: null,
}
const full = { virtualCpus: 0, memoryMebibytes: 4096, diskMebibytes: 0 }

test('what starts from a snapshot goes where that is held, though another is fuller', () => {
  const half = { virtualCpus: 1, memoryMebibytes: 2048, diskMebibytes: 20_480 }
  const fleet = [candidate('a'), candidate('b', { reserved: half })]
  const reason = 'on host-a: it holds snapshot before, and is the fullest of 1 with room'
  expect(place({ ...small, source: before }, fleet)).toEqual({ runnerId: 'a', reason, from: 'disk' })
})

test.each<[string, Partial<Candidate>, string]>([
  ['has no room', { reserved: full }, 'host-a has 0 MiB of memory left of 1024 wanted'],
  ['is away', { phase: 'offline' }, 'host-a is offline'],
  ['is cordoned', { spec: { region: 'default', scheduling: 'cordoned' } }, 'host-a is cordoned'],
  ['is of the wrong sort', { facts: null }, 'host-a has reported no facts yet'],
])('a snapshot on a runner that %s is waited for, and both reasons are said', (_, change, reason) => {
  const fleet = [candidate('a', change), candidate('b'), candidate('c')]
  const placement = place({ ...small, source: before }, fleet)
  expect(placement.runnerId).toBeNull()
  expect(placement.reason).toContain(reason)
  expect(placement.reason).toContain('2 runners lack snapshot before (host-b, host-c)')
})

test('a snapshot that no runner holds any more, or that is not ready, is said to be that', () => {
  const lost = place({ ...small, source: { ...before, runnerIds: [] } }, [candidate('a')])
  expect(lost).toMatchObject({ runnerId: null, reason: 'host-a lacks snapshot before' })
  const creating = place({ ...small, source: { ...before, phase: 'creating' } }, [candidate('a')])
  expect(creating.reason).toBe('it starts from snapshot before, which is creating')
})

test('with 250 runners the reason stays short: refusals are counted by cause, with the nearest miss', () => {
  const fleet = Array.from({ length: 250 }, (_, index) => {
    const id = String(index).padStart(3, '0')
    const facts = candidate(id).facts
    if (index < 37) return candidate(id, { facts: facts && { ...facts, images: [] } })
    if (index < 40) return candidate(id, { phase: 'offline' })
    return candidate(id, { reserved: { virtualCpus: 0, memoryMebibytes: 4096 - index, diskMebibytes: 0 } })
  })
  const placement = place(small, fleet)
  expect(placement.reason).toBe(
    '210 runners have less than the 1024 MiB of memory wanted (most left: 249 MiB on host-249); ' +
      '37 runners lack the image debian-12; 3 runners are offline (host-037, host-038, host-039)',
  )
  expect(placement).toMatchObject({ refusals: [{ names: { length: 210 } }, {}, {}] })
})

test('of many different refusals six are named and the others counted', () => {
  const fleet = Array.from({ length: 20 }, (_, index) => candidate(String(index)))
  const selectors = Object.fromEntries(fleet.map(({ id }) => [`key-${id}`, 'x']))
  const labelled = fleet.map((one, index) => ({
    ...one,
    labels: Object.fromEntries(Object.entries(selectors).slice(0, index)),
  }))
  const { reason } = place({ ...small, runnerSelector: selectors }, labelled)
  expect(reason.split('; ')).toHaveLength(7)
  expect(reason).toContain('14 more for other reasons')
})

test('a runner where machines failed lately is taken only if no other fits', () => {
  const suspected = candidate('a', {
    suspected: true,
    reserved: { virtualCpus: 1, memoryMebibytes: 2048, diskMebibytes: 0 },
  })
  expect(place(small, [suspected, candidate('b')])).toMatchObject({ runnerId: 'b' })
  expect(place(small, [suspected])).toMatchObject({ runnerId: 'a' })
})

test('a degraded runner gets nothing until its pause is over, and then one machine that nobody waits for', () => {
  const degraded = candidate('a', { phase: 'degraded' })
  const due = { ...degraded, probeDue: true }
  expect(place(small, [degraded]).reason).toContain('host-a is degraded')
  expect(place(small, [due, candidate('b')])).toMatchObject({ runnerId: 'a' })
  expect(place({ ...small, awaited: true }, [due, candidate('b')])).toMatchObject({ runnerId: 'b' })
  expect(place({ ...small, awaited: true }, [due])).toMatchObject({ runnerId: 'a' })
})

test('what is to be on one runner is placed on no other, and waits for it', () => {
  const wanted: Wanted = { ...small, runnerId: 'b' }
  expect(place(wanted, [candidate('a'), candidate('b')])).toMatchObject({ runnerId: 'b' })
  expect(place(wanted, [candidate('a'), candidate('b', { phase: 'offline' }), candidate('c')])).toMatchObject(
    {
      runnerId: null,
      reason: '2 runners are not the runner that was asked for (host-a, host-c); host-b is offline',
    },
  )
})

describe('what starts from a snapshot', () => {
  const of = (change: Partial<WantedSource>): Wanted => ({
    ...small,
    source: {
      name: 'prebuild shop-small-1',
      phase: 'ready',
      runnerIds: ['a', 'b'],
      memoryRunnerIds: ['b'],
      isRequired: false,
      copies: null,
      ...change,
    },
  })
  const full = { reserved: { virtualCpus: 1, memoryMebibytes: 4_096, diskMebibytes: 20_480 } }
  const half = { reserved: { virtualCpus: 1, memoryMebibytes: 2_048, diskMebibytes: 20_480 } }

  test.each<[string, Wanted, Candidate[], object]>([
    [
      'goes where its memory is, though others are fuller',
      of({}),
      [candidate('a', half), candidate('b'), candidate('c', half)],
      {
        runnerId: 'b',
        from: 'memory',
        reason:
          'on host-b: it holds prebuild shop-small-1 with its memory, and is the fullest of 1 with room',
      },
    ],
    [
      'goes where its disk is, where there is no room beside its memory',
      of({}),
      [candidate('a'), candidate('b', full), candidate('c', half)],
      {
        runnerId: 'a',
        from: 'disk',
        reason: 'on host-a: it holds prebuild shop-small-1, and is the fullest of 1 with room',
      },
    ],
    [
      'takes the image where no holder has room',
      of({}),
      [candidate('a', full), candidate('b', full), candidate('c'), candidate('d')],
      {
        runnerId: 'c',
        from: 'image',
        reason: 'on host-c: none with room holds prebuild shop-small-1, and it is the fullest of 2 with room',
      },
    ],
    [
      'takes the image where the snapshot is gone',
      of({ phase: 'deleted' }),
      [candidate('a')],
      { runnerId: 'a', from: 'image' },
    ],
    [
      'would rather start anew than where machines failed lately',
      of({}),
      [candidate('a', { suspected: true }), candidate('b', { suspected: true }), candidate('c')],
      { runnerId: 'c', from: 'image' },
    ],
    [
      'waits, where it starts from nothing else, for a runner that holds it',
      of({ isRequired: true, runnerIds: ['a'], memoryRunnerIds: [] }),
      [candidate('a', full), candidate('c')],
      { runnerId: null, refusals: [{}, { what: 'host-c lacks prebuild shop-small-1' }] },
    ],
    [
      'waits then for the snapshot too',
      of({ isRequired: true, phase: 'creating' }),
      [candidate('a')],
      { runnerId: null, reason: 'it starts from prebuild shop-small-1, which is creating' },
    ],
  ])('%s', (_, wanted, fleet, expected) => {
    expect(place(wanted, fleet)).toMatchObject(expected)
  })
})

test('with no runner at all the reason says how to get one', () => {
  expect(place(small, []).reason).toContain('hearth runner join')
})

test('placing one after another never promises more than there is', () => {
  const sizes = fc.record({
    virtualCpus: fc.integer({ min: 1, max: 8 }),
    memoryMebibytes: fc.integer({ min: 128, max: 4096 }),
    diskGibibytes: fc.integer({ min: 1, max: 60 }),
  })
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (wanted, hosts) => {
      const fleet = Array.from({ length: hosts }, (_, index) => candidate(String(index)))
      for (const size of wanted) {
        const chosen = fleet.find(({ id }) => id === place({ ...small, ...size }, fleet).runnerId)
        if (chosen === undefined) continue
        chosen.reserved = {
          virtualCpus: chosen.reserved.virtualCpus + size.virtualCpus,
          memoryMebibytes: chosen.reserved.memoryMebibytes + size.memoryMebibytes,
          diskMebibytes: chosen.reserved.diskMebibytes + size.diskGibibytes * 1_024,
        }
      }
      for (const { reserved } of fleet) {
        expect(reserved.memoryMebibytes).toBeLessThanOrEqual(4096)
        expect(reserved.diskMebibytes).toBeLessThanOrEqual(100 * 1_024)
        expect(reserved.virtualCpus).toBeLessThanOrEqual(16)
      }
    }),
  )
})
