import fc from 'fast-check'
import { expect, test } from 'vitest'
import { candidate, factsOfHost, small } from './fleet.fixture.ts'
import type { Candidate } from './place.ts'
import { placeAll } from './place-all.ts'

const large = { ...small, memoryMebibytes: 4096 }

const host = (id: string, memoryMebibytes: number): Candidate => {
  const { facts, ...rest } = candidate(id)
  if (facts === null) throw new Error('the runner of the fixture has facts')
  return { ...rest, facts: { ...facts, virtualCpus: 64, memoryMebibytes, diskGibibytes: 1000 } }
}

test('each is placed in the room that those before it left, and one that fits nowhere delays no other', () => {
  const waiting = [small, large, small, small].map((wanted, index) => ({ id: String(index), wanted }))
  const placements = placeAll(waiting, [host('a', 2048)])
  expect([...placements].map(([id, { runnerId }]) => [id, runnerId])).toEqual([
    ['0', 'a'],
    ['1', null],
    ['2', 'a'],
    ['3', null],
  ])
})

test('the room of a volume that comes with a machine is given to no later one', () => {
  const facts = { ...factsOfHost, diskGibibytes: 35 }
  const withVolume = { ...small, needs: { work: ['volume' as const], volumeMebibytes: 10_240 } }
  const waiting = [withVolume, withVolume, small].map((wanted, index) => ({ id: String(index), wanted }))
  const placements = placeAll(waiting, [candidate('a', { facts })])
  expect([...placements].map(([id, { runnerId }]) => [id, runnerId])).toEqual([
    ['0', 'a'],
    ['1', null],
    ['2', 'a'],
  ])
})

test('a degraded runner gets only one machine as a probe', () => {
  const degraded = { ...host('a', 8192), phase: 'degraded' as const, probeDue: true }
  const waiting = ['0', '1'].map((id) => ({ id, wanted: small }))
  const placements = placeAll(waiting, [degraded])
  expect(placements.get('0')?.runnerId).toBe('a')
  expect(placements.get('1')?.runnerId).toBeNull()
})

test('no runner is promised more memory than it has, whatever waits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(512, 1024, 4096), { maxLength: 30 }),
      fc.array(fc.integer({ min: 0, max: 8192 }), { maxLength: 5 }),
      (sizes, hosts) => {
        const waiting = sizes.map((memoryMebibytes, index) => ({
          id: String(index),
          wanted: { ...small, memoryMebibytes },
        }))
        const fleet = hosts.map((memory, index) => host(String(index), memory))
        const placements = placeAll(waiting, fleet)
        for (const { id, facts, reserved } of fleet) {
          const promised = waiting
            .filter((one) => placements.get(one.id)?.runnerId === id)
            .reduce((sum, { wanted }) => sum + wanted.memoryMebibytes, 0)
          expect(promised).toBeLessThanOrEqual(facts?.memoryMebibytes ?? 0)
          expect(reserved.memoryMebibytes).toBe(0)
        }
      },
    ),
  )
})
