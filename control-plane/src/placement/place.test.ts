import type { EnvironmentClassSpec } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Candidate, place } from './place.ts'

const small: EnvironmentClassSpec = {
  virtualCpus: 1,
  memoryMebibytes: 1024,
  diskGibibytes: 10,
  image: 'debian-12',
  region: null,
  runnerSelector: {},
}

function candidate(id: string, change: Partial<Candidate> = {}): Candidate {
  return {
    id,
    name: `host-${id}`,
    labels: {},
    phase: 'active',
    spec: { region: 'default', scheduling: 'enabled' },
    facts: {
      virtualization: 'qemu',
      virtualCpus: 4,
      memoryMebibytes: 4096,
      diskGibibytes: 100,
      images: ['debian-12'],
      agentVersion: '0',
      sealingKey: '',
    },
    reserved: { virtualCpus: 0, memoryMebibytes: 0, diskGibibytes: 0 },
    ...change,
  }
}

test('the fullest runner that still fits is chosen', () => {
  const half = { virtualCpus: 1, memoryMebibytes: 2048, diskGibibytes: 20 }
  const full = { virtualCpus: 1, memoryMebibytes: 4000, diskGibibytes: 20 }
  const fleet = [candidate('a'), candidate('b', { reserved: half }), candidate('c', { reserved: full })]
  expect(place(small, fleet)).toMatchObject({ runnerId: 'b' })
})

test.each<[string, Partial<EnvironmentClassSpec>, Partial<Candidate>]>([
  ['is offline', {}, { phase: 'offline' }],
  ['is cordoned', {}, { spec: { region: 'default', scheduling: 'cordoned' } }],
  ['is in region default, not north', { region: 'north' }, {}],
  ['lacks the label disk=fast', { runnerSelector: { disk: 'fast' } }, { labels: { disk: 'slow' } }],
  ['lacks the image alpine', { image: 'alpine' }, {}],
  ['has 0 virtual CPUs left', {}, { reserved: { virtualCpus: 16, memoryMebibytes: 0, diskGibibytes: 0 } }],
  [
    'has 1000 MiB of memory left',
    {},
    { reserved: { virtualCpus: 0, memoryMebibytes: 3096, diskGibibytes: 0 } },
  ],
  ['has 5 GiB of disk left', {}, { reserved: { virtualCpus: 0, memoryMebibytes: 0, diskGibibytes: 95 } }],
])('a runner that %s is refused with that reason', (reason, wanted, change) => {
  const placement = place({ ...small, ...wanted }, [candidate('a', change)])
  expect(placement.runnerId).toBeNull()
  expect(placement.reason).toContain(`host-a: ${reason}`)
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
          diskGibibytes: chosen.reserved.diskGibibytes + size.diskGibibytes,
        }
      }
      for (const { reserved } of fleet) {
        expect(reserved.memoryMebibytes).toBeLessThanOrEqual(4096)
        expect(reserved.diskGibibytes).toBeLessThanOrEqual(100)
        expect(reserved.virtualCpus).toBeLessThanOrEqual(16)
      }
    }),
  )
})
