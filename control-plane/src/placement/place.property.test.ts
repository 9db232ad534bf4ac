import { runnerPhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Candidate, place, virtualCpuOvercommit, type Wanted } from './place.ts'
import { placeAll } from './place-all.ts'

const size = {
  virtualCpus: fc.integer({ min: 1, max: 8 }),
  memoryMebibytes: fc.integer({ min: 256, max: 8_192 }),
}
const anyWanted: fc.Arbitrary<Wanted> = fc.record({
  ...size,
  diskGibibytes: fc.integer({ min: 1, max: 50 }),
  image: fc.constantFrom('debian-12', 'ubuntu'),
  region: fc.option(fc.constantFrom('berlin', 'default')),
  runnerSelector: fc.constantFrom<Record<string, string>>({}, { disk: 'nvme' }),
  awaited: fc.boolean(),
  source: fc.constant(null),
  runnerId: fc.option(fc.constantFrom('0', '1'), { freq: 4 }),
  needs: fc.option(
    fc.record({
      work: fc.subarray(['process' as const, 'volume' as const]),
      volumeMebibytes: fc.integer({ min: 0, max: 60_000 }),
      bringsInputs: fc.boolean(),
    }),
  ),
})
const anyFleet = fc
  .array(
    fc.record({
      labels: fc.constantFrom<Record<string, string>>({}, { disk: 'nvme' }),
      phase: fc.constantFrom(...runnerPhases),
      spec: fc.record({
        region: fc.constantFrom('berlin', 'default'),
        scheduling: fc.constantFrom(
          'enabled' as const,
          'enabled' as const,
          'cordoned' as const,
          'draining' as const,
        ),
      }),
      facts: fc.option(
        fc.record({
          virtualization: fc.constant('qemu' as const),
          virtualCpus: fc.integer({ min: 0, max: 16 }),
          memoryMebibytes: fc.integer({ min: 0, max: 16_384 }),
          diskGibibytes: fc.integer({ min: 0, max: 200 }),
          images: fc.subarray(['debian-12', 'ubuntu']),
          bootSlots: fc.integer({ min: 1, max: 4 }),
          agentVersion: fc.constant('0'),
          sealingKey: fc.constant(''),
          bringsInputs: fc.boolean(),
        }),
      ),
      workKinds: fc.option(fc.subarray(['environment', 'process', 'volume']), { freq: 8 }),
      booting: fc.nat(6),
      reserved: fc.record({
        virtualCpus: fc.nat(70),
        memoryMebibytes: fc.nat(20_000),
        diskMebibytes: fc.nat(256_000),
      }),
      suspected: fc.boolean(),
      probeDue: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((fleet) =>
    fleet.map((candidate, index): Candidate => ({ ...candidate, id: `${index}`, name: `host-${index}` })),
  )

function fits(wanted: Wanted, { id, facts, workKinds, reserved, labels, spec }: Candidate): boolean {
  return (
    (wanted.runnerId === null || wanted.runnerId === id) &&
    facts?.images.includes(wanted.image) === true &&
    (wanted.region === null || wanted.region === spec.region) &&
    Object.entries(wanted.runnerSelector).every(([key, value]) => labels[key] === value) &&
    (wanted.needs?.work ?? []).every((kind) => workKinds?.includes(kind)) &&
    (wanted.needs?.bringsInputs !== true || facts.bringsInputs === true) &&
    reserved.virtualCpus + wanted.virtualCpus <= facts.virtualCpus * virtualCpuOvercommit &&
    reserved.memoryMebibytes + wanted.memoryMebibytes <= facts.memoryMebibytes &&
    reserved.diskMebibytes + wanted.diskGibibytes * 1_024 + (wanted.needs?.volumeMebibytes ?? 0) <=
      facts.diskGibibytes * 1_024
  )
}

test('a machine is placed where it fits and is allowed, or nowhere with a reason, whatever the order of the fleet', () => {
  fc.assert(
    fc.property(anyWanted, anyFleet, (wanted, fleet) => {
      const placement = place(wanted, fleet)
      expect(placement.reason).not.toBe('')
      expect(place(wanted, fleet.toReversed()).runnerId === null).toBe(placement.runnerId === null)
      const sound = fleet.filter(
        (candidate) =>
          candidate.phase === 'active' && candidate.spec.scheduling === 'enabled' && fits(wanted, candidate),
      )
      if (placement.runnerId === null) expect(sound).toEqual([])
      const chosen = fleet.find(({ id }) => id === placement.runnerId)
      if (chosen === undefined) return
      expect(fits(wanted, chosen)).toBe(true)
      expect(chosen.spec.scheduling).toBe('enabled')
      // A degraded host gets only a probe, and only one that nobody waits for while another host has room.
      if (chosen.phase === 'degraded')
        expect(chosen.probeDue && (sound.length === 0 || !wanted.awaited)).toBe(true)
      else expect(chosen.phase).toBe('active')
    }),
    { numRuns: 1_000 },
  )
})

test('however many are placed together, no room is promised twice', () => {
  fc.assert(
    fc.property(fc.array(anyWanted, { maxLength: 20 }), anyFleet, (wishes, fleet) => {
      const before = structuredClone(fleet)
      const waiting = wishes.map((wanted, index) => ({ id: `${index}`, wanted }))
      const placements = placeAll(waiting, fleet)
      expect(fleet).toEqual(before)
      expect([...placements.keys()]).toEqual(waiting.map(({ id }) => id))
      for (const { id, facts, reserved } of fleet) {
        const given = waiting
          .filter((each) => placements.get(each.id)?.runnerId === id)
          .map(({ wanted }) => wanted)
        if (given.length === 0) continue
        const sum = (name: 'virtualCpus' | 'memoryMebibytes') =>
          given.reduce((total, wanted) => total + wanted[name], reserved[name])
        expect(sum('virtualCpus')).toBeLessThanOrEqual((facts?.virtualCpus ?? 0) * virtualCpuOvercommit)
        expect(sum('memoryMebibytes')).toBeLessThanOrEqual(facts?.memoryMebibytes ?? 0)
        const disk = given.reduce(
          (total, { diskGibibytes, needs }) => total + diskGibibytes * 1_024 + (needs?.volumeMebibytes ?? 0),
          reserved.diskMebibytes,
        )
        expect(disk).toBeLessThanOrEqual((facts?.diskGibibytes ?? 0) * 1_024)
      }
    }),
    { numRuns: 300 },
  )
})
