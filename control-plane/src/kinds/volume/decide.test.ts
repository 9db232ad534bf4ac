import { expect, test } from 'vitest'
import { decide, type SeenVolume, type Surroundings, type VolumeAction } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const before = new Date(now.getTime() - 1)
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000)
const runner = { id: 'r1', name: 'rack-1', isRemoved: false, isSilent: false }
const placed: SeenVolume = {
  name: 'data',
  phase: 'available',
  desired: 'present',
  environmentId: null,
  runnerId: 'r1',
  isToBeMade: false,
  waitsFor: null,
  deadline: null,
}
const unplaced: SeenVolume = { ...placed, phase: 'unplaced', runnerId: null }
const around: Surroundings = { isMachineGone: false, runner, place: { runnerId: 'r1' } }
const full: Surroundings = { ...around, runner: null, place: { waitsFor: 'runner rack-1 to have room' } }

const table: readonly [
  string,
  Partial<SeenVolume> & { of?: SeenVolume },
  Surroundings,
  VolumeAction | null,
][] = [
  ['nothing for one at rest', {}, around, null],
  ['nothing for one that no machine ever had', { of: unplaced }, full, null],
  [
    'a place for one that is to be made',
    { of: unplaced, isToBeMade: true },
    { ...around, runner: null },
    { do: 'place', runnerId: 'r1', deadline: at(1_800) },
  ],
  [
    'a wait where nobody has room',
    { of: unplaced, isToBeMade: true },
    full,
    { do: 'wait', waitsFor: 'runner rack-1 to have room', deadline: at(600) },
  ],
  [
    'nothing while it waits for that',
    {
      of: unplaced,
      isToBeMade: true,
      phase: 'pending',
      waitsFor: 'runner rack-1 to have room',
      deadline: at(9),
    },
    full,
    null,
  ],
  [
    'its release when its machine is gone',
    { environmentId: 'e1' },
    { ...around, isMachineGone: true },
    { do: 'release' },
  ],
  ['nothing while its machine is there', { environmentId: 'e1', phase: 'attached' }, around, null],
  [
    'another wait for a host that is not heard of',
    { phase: 'attaching', environmentId: 'e1', deadline: before },
    { ...around, runner: { ...runner, isSilent: true } },
    { do: 'postpone', deadline: at(300) },
  ],
  [
    'the end of one that nobody wants',
    { desired: 'delete' },
    around,
    { do: 'begin', phase: 'deleting', deadline: at(120) },
  ],
  [
    'nothing while its disk is removed',
    { desired: 'delete', phase: 'deleting', deadline: at(1) },
    around,
    null,
  ],
  [
    'its removal at the end of that',
    { desired: 'delete', phase: 'deleting', deadline: before },
    around,
    { do: 'remove' },
  ],
  ['its removal where it never was', { of: unplaced, desired: 'delete' }, full, { do: 'remove' }],
]

test.each(table)('decides %s', (_, { of = placed, ...change }, surroundings, expected) => {
  expect(decide({ ...of, ...change }, surroundings, now)).toEqual(expected)
})

test('what is late, or gone with its host, says why and what helps', () => {
  const failure = (change: Partial<SeenVolume>, surroundings = around) => {
    const action = decide({ ...placed, ...change }, surroundings, now)
    return action?.do === 'fail' ? action.failure : action
  }
  expect(failure({ phase: 'detaching', deadline: before })).toEqual({
    code: 'deadline_passed',
    message:
      'runner rack-1 has not done within 180 s what detaching asks of it: stop its machine and detach it again, or `hearth volume detach data --force`',
  })
  expect(failure({}, { ...around, runner: { ...runner, isRemoved: true } })).toEqual({
    code: 'runner_lost',
    message: 'its disk was on the host of runner rack-1, which was removed: only deleting it is left',
  })
  expect(
    failure({ runnerId: null, isToBeMade: true, phase: 'pending', deadline: before }, full),
  ).toMatchObject({
    code: 'no_runner_fits',
  })
})
