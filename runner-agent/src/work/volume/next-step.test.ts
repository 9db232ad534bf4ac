import type { VolumeOrder } from '@hearth/contract'
import { expect, test } from 'vitest'
import type { Volume } from '../../host/volume.ts'
import { type NextVolumeStep, nextStep, type SeenVolume } from './next-step.ts'

const mebibyte = 1024 ** 2
const order: VolumeOrder = {
  kind: 'volume',
  id: 'v1',
  runnerId: 'r1',
  epoch: 3,
  generation: 5,
  name: 'data',
  desired: 'present',
  sizeMebibytes: 64,
  environmentId: 'e1',
  mountPath: '/data',
  sourceId: null,
  isMade: true,
  contentNumber: 0,
  force: false,
}
const volume: Volume = {
  volumeId: 'v1',
  ownership: { owner: 'r1', volumeId: 'v1', epoch: 3, generation: 5, createdAt: '' },
  phase: 'present',
  bytes: 64 * mebibyte,
  usedBytes: 0,
  contentNumber: 0,
  environmentId: 'e1',
  isPlugged: true,
}
const absent: Volume = {
  ...volume,
  ownership: null,
  phase: 'absent',
  bytes: 0,
  environmentId: null,
  isPlugged: false,
}
const seen: SeenVolume = {
  volume,
  power: 'running',
  isMounted: null,
  wasPresent: true,
  failure: null,
  failedGeneration: 0,
}
const rest = (phase: string) => ({ kind: 'rest', phase, failure: null })
const none = { environmentId: null, isPlugged: false }

const table: readonly [string, Partial<VolumeOrder>, Partial<Volume>, Partial<SeenVolume>, object][] = [
  ['is made where it never was', { isMade: false }, absent, { wasPresent: false }, { kind: 'create' }],
  ['is completed', { isMade: false }, { phase: 'partial' }, { wasPresent: false }, { kind: 'create' }],
  ['is kept for its machine', {}, none, {}, { kind: 'attach', environmentId: 'e1' }],
  [
    'is put into a machine that was started',
    {},
    { isPlugged: false },
    {},
    { kind: 'attach', environmentId: 'e1' },
  ],
  ['is mounted', {}, {}, {}, { kind: 'mount', environmentId: 'e1' }],
  ['is mounted once', {}, {}, { isMounted: true }, rest('attached')],
  ['stays with a machine that is off', {}, { isPlugged: false }, { power: 'shut_off' }, rest('attached')],
  ['stays with one that is suspended', {}, {}, { power: 'suspended' }, rest('attached')],
  [
    'is unmounted first',
    { environmentId: null },
    {},
    {},
    { kind: 'unmount', environmentId: 'e1', force: false },
  ],
  ['is then taken out', { environmentId: null }, {}, { isMounted: false }, { kind: 'detach' }],
  [
    'is taken from a machine that is off',
    { environmentId: null },
    { isPlugged: false },
    { power: 'shut_off' },
    { kind: 'detach' },
  ],
  [
    'is taken from a machine that is gone',
    { environmentId: null },
    { isPlugged: false },
    { power: 'absent' },
    { kind: 'detach' },
  ],
  [
    'goes from one machine to another through nobody’s hands',
    { environmentId: 'e2' },
    {},
    {},
    { kind: 'unmount', environmentId: 'e1', force: false },
  ],
  [
    'is taken from one that stands still by force only',
    { environmentId: null, force: true },
    {},
    { power: 'paused' },
    { kind: 'detach' },
  ],
  ['rests', { environmentId: null }, none, {}, rest('available')],
  ['is emptied', { environmentId: null, contentNumber: 1 }, none, {}, { kind: 'clear' }],
  [
    'is unmounted before it is emptied',
    { contentNumber: 1 },
    {},
    {},
    { kind: 'unmount', environmentId: 'e1', force: false },
  ],
  [
    'is emptied while its machine is off',
    { contentNumber: 1 },
    { isPlugged: false },
    { power: 'shut_off' },
    { kind: 'clear' },
  ],
  ['grows', { sizeMebibytes: 128 }, {}, {}, { kind: 'grow' }],
  ['never shrinks', { sizeMebibytes: 32 }, {}, { isMounted: true }, rest('attached')],
  [
    'is given back before it is removed',
    { desired: 'deleted' },
    {},
    {},
    { kind: 'unmount', environmentId: 'e1', force: false },
  ],
  ['is removed', { desired: 'deleted' }, none, {}, { kind: 'remove' }],
  ['is gone', { desired: 'deleted' }, absent, {}, rest('deleted')],
]

test.each(table)('a volume %s', (_, wanted, is, around, expected) => {
  const step = nextStep({ ...order, ...wanted }, { ...seen, ...around, volume: { ...volume, ...is } })
  expect(step).toEqual(expected)
})

test('a disk that is gone is said to be, and never made anew: by the order’s word or this process’s own', () => {
  for (const [isMade, wasPresent] of [
    [true, false],
    [false, true],
  ] as const) {
    const step = nextStep({ ...order, isMade }, { ...seen, volume: absent, wasPresent })
    expect(step).toMatchObject({ kind: 'rest', phase: 'failed', failure: { code: 'volume_missing' } })
  }
})

test('another’s volume, an older lease and an older order leave it alone', () => {
  const owned = (change: object): NextVolumeStep => {
    const ownership = volume.ownership === null ? null : { ...volume.ownership, ...change }
    return nextStep({ ...order, desired: 'deleted' }, { ...seen, volume: { ...volume, ownership } })
  }
  expect(owned({ owner: 'r2' })).toMatchObject({ kind: 'rest', phase: 'failed' })
  expect(owned({ epoch: 4 })).toMatchObject({ kind: 'refuse', superseded: true })
  expect(owned({ generation: 6 })).toMatchObject({ kind: 'refuse', superseded: false })
})

test('what failed stays so until it is wanted anew', () => {
  const failure = { code: 'volume_busy' as const, message: 'programs use it: sleep (12)' }
  const failed = { ...seen, failure, failedGeneration: 5 }
  expect(nextStep({ ...order, environmentId: null }, failed)).toEqual({
    kind: 'rest',
    phase: 'failed',
    failure,
  })
  expect(nextStep({ ...order, environmentId: null, generation: 6 }, failed)).toMatchObject({
    kind: 'unmount',
  })
})
