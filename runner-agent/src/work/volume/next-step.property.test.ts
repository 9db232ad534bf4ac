import type { VolumeOrder } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Power } from '../../host/machine.ts'
import type { Volume } from '../../host/volume.ts'
import { nextStep, type SeenVolume, type VolumeStep } from './next-step.ts'

const mebibyte = 1024 ** 2
const machines = fc.option(fc.constantFrom('e1', 'e2'))
const anyOrder: fc.Arbitrary<VolumeOrder> = fc.record({
  kind: fc.constant('volume'),
  id: fc.constant('v1'),
  runnerId: fc.constant('r1'),
  epoch: fc.constant(1),
  generation: fc.constant(2),
  name: fc.constant('data'),
  desired: fc.constantFrom('present', 'deleted'),
  sizeMebibytes: fc.constantFrom(64, 128),
  environmentId: machines,
  mountPath: fc.constant('/data'),
  sourceId: fc.constant(null),
  isMade: fc.boolean(),
  contentNumber: fc.constantFrom(0, 1),
  force: fc.boolean(),
})
const anySeen: fc.Arbitrary<SeenVolume> = fc.record({
  volume: fc.record({
    volumeId: fc.constant('v1'),
    ownership: fc.constant({ owner: 'r1', volumeId: 'v1', epoch: 1, generation: 1, createdAt: '' }),
    phase: fc.constantFrom('absent', 'partial', 'present'),
    bytes: fc.constantFrom(64 * mebibyte, 128 * mebibyte),
    usedBytes: fc.constant(0),
    contentNumber: fc.constantFrom(0, 1),
    environmentId: machines,
    isPlugged: fc.boolean(),
  }),
  power: fc.constantFrom<Power>('absent', 'shut_off', 'running', 'paused', 'suspended', 'crashed'),
  isMounted: fc.option(fc.boolean()),
  wasPresent: fc.boolean(),
  failure: fc.constant(null),
  failedGeneration: fc.constant(0),
}) as fc.Arbitrary<SeenVolume>

/** As every host promises it; a disk is in a machine only while it is kept for that. */
const real = fc.tuple(anyOrder, anySeen).map(([order, { volume, ...seen }]): [VolumeOrder, SeenVolume] => {
  const isThere = volume.phase === 'present'
  const environmentId = isThere ? volume.environmentId : null
  const isOn = ['running', 'paused', 'suspended'].includes(seen.power)
  return [
    order,
    {
      ...seen,
      volume: {
        ...volume,
        environmentId,
        isPlugged: volume.isPlugged && environmentId !== null && isOn,
        ownership: volume.phase === 'absent' ? null : volume.ownership,
      },
    },
  ]
})

function after(order: VolumeOrder, seen: SeenVolume, step: VolumeStep): SeenVolume {
  const { volume } = seen
  const with_ = (change: Partial<Volume>) => ({ ...seen, wasPresent: true, volume: { ...volume, ...change } })
  const isOn = seen.power === 'running' || seen.power === 'paused'
  switch (step.kind) {
    case 'create': {
      const ownership = { owner: 'r1', volumeId: 'v1', epoch: 1, generation: 2, createdAt: '' }
      return with_({ phase: 'present', ownership, bytes: order.sizeMebibytes * mebibyte, contentNumber: 0 })
    }
    case 'clear':
      return with_({ contentNumber: order.contentNumber })
    case 'grow':
      return { ...with_({ bytes: order.sizeMebibytes * mebibyte }), isMounted: null }
    case 'attach':
      return { ...with_({ environmentId: step.environmentId, isPlugged: isOn }), isMounted: null }
    case 'mount':
      return { ...seen, isMounted: true }
    case 'unmount':
      return { ...seen, isMounted: false }
    case 'detach':
      return with_({ environmentId: null, isPlugged: false })
    case 'remove':
      return with_({ phase: 'absent', ownership: null })
  }
}

test('from every state a few steps lead to rest, and that is what was ordered or says why not', () => {
  fc.assert(
    fc.property(real, ([order, first]) => {
      let seen = first
      for (let count = 0; count < 12; count += 1) {
        const step = nextStep(order, seen)
        if (step.kind === 'fail' || step.kind === 'refuse') throw new Error(`it is ${step.kind}`)
        if (step.kind !== 'rest') {
          seen = after(order, seen, step)
          continue
        }
        if (step.phase === 'failed') {
          expect(step.failure).not.toBeNull()
          return
        }
        if (order.desired === 'deleted') {
          expect(seen.volume.phase).toBe('absent')
          return
        }
        expect(seen.volume.environmentId).toBe(order.environmentId)
        expect(seen.volume.contentNumber).toBeGreaterThanOrEqual(order.contentNumber)
        if (seen.power === 'running' && order.environmentId !== null) expect(seen.isMounted).toBe(true)
        return
      }
      throw new Error('it does not come to rest')
    }),
    { numRuns: 5_000 },
  )
})

test('no step gives a disk to a second machine, empties or removes what a machine has, or makes what was there', () => {
  fc.assert(
    fc.property(real, ([order, seen]) => {
      const { kind } = nextStep(order, seen)
      const { environmentId, isPlugged } = seen.volume
      if (kind === 'attach') expect([null, order.environmentId]).toContain(environmentId)
      if (kind === 'clear') expect(isPlugged).toBe(false)
      if (kind === 'remove') expect([environmentId, isPlugged]).toEqual([null, false])
      if (kind === 'create') expect(order.isMade || seen.wasPresent).toBe(false)
    }),
    { numRuns: 5_000 },
  )
})
