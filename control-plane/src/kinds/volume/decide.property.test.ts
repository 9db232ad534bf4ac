import { volumePhases } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deadlineOf, decide, type SeenVolume, type Surroundings, type VolumeAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const volume: fc.Arbitrary<SeenVolume> = fc.record({
  name: fc.constant('data'),
  phase: fc.constantFrom(...volumePhases),
  desired: fc.constantFrom('present', 'delete'),
  environmentId: fc.option(fc.constant('e1')),
  runnerId: fc.option(fc.constant('r1')),
  isToBeMade: fc.boolean(),
  waitsFor: fc.option(fc.constantFrom('room', 'an update')),
  deadline: fc.option(fc.constantFrom(new Date(now.getTime() - 1), new Date(now.getTime() + 1_000))),
})
const surroundings: fc.Arbitrary<Surroundings> = fc.record({
  isMachineGone: fc.boolean(),
  runner: fc.option(
    fc.record({
      id: fc.constant('r1'),
      name: fc.constant('rack-1'),
      isRemoved: fc.boolean(),
      isSilent: fc.boolean(),
    }),
  ),
  place: fc.oneof(
    fc.constant({ runnerId: 'r1' }),
    fc.constantFrom('room', 'an update').map((waitsFor) => ({ waitsFor })),
  ),
})

/** As `reconcile.ts` carries it out; null for one that is gone. */
function after(seen: SeenVolume, action: VolumeAction): SeenVolume | null {
  const moved = (phase: SeenVolume['phase']) => ({ ...seen, phase, deadline: deadlineOf(phase, now) })
  switch (action.do) {
    case 'remove':
      return null
    case 'release': {
      const isToBeMade = false
      const phase = seen.runnerId === null ? 'unplaced' : 'detaching'
      return { ...moved(phase), environmentId: null, isToBeMade, waitsFor: null }
    }
    case 'place':
      return {
        ...seen,
        phase: 'creating',
        deadline: action.deadline,
        runnerId: action.runnerId,
        waitsFor: null,
      }
    case 'wait':
      return { ...seen, phase: 'pending', waitsFor: action.waitsFor, deadline: action.deadline }
    case 'begin':
      return { ...seen, phase: action.phase, deadline: action.deadline }
    case 'postpone':
      return { ...seen, deadline: action.deadline }
    case 'fail':
      return { ...moved('failed'), waitsFor: null }
  }
}

test('from every state of a volume a few decisions lead to one in which nothing follows', () => {
  fc.assert(
    fc.property(volume, surroundings, (first, around) => {
      let current: SeenVolume | null = first
      for (let step = 0; step < 8 && current !== null; step += 1) {
        const action = decide(current, around, now)
        if (action === null) return
        current = after(current, action)
      }
      expect(current).toBeNull()
    }),
    { numRuns: 5_000 },
  )
})

test('nothing but a wish deletes a volume, and nothing but a machine’s end takes it from that', () => {
  fc.assert(
    fc.property(volume, surroundings, (seen, around) => {
      const action = decide(seen, around, now)
      if (action?.do === 'remove' || action?.do === 'begin') expect(seen.desired).toBe('delete')
      if (action?.do === 'release') expect(around.isMachineGone).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})
