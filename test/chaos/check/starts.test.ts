import { expect, test } from 'vitest'
import { check } from './check.ts'
import { disk, makers, member, memory, prebuild, prebuiltHistory } from './prebuilt-sample.ts'
import { environment, machine } from './sample.ts'

const rules = (...[change]: Parameters<typeof prebuiltHistory>) => [
  ...new Set(check(prebuiltHistory(change)).map(({ rule }) => rule)),
]
const claimed = environment('claimed', { claimId: 'claim-1' })

test('a machine that was given a prebuild that has failed, was cancelled or still works is a wrong start', () => {
  for (const phase of ['failed', 'cancelled', 'cancelling', 'snapshotting'] as const)
    expect(rules({ prebuilds: [prebuild({ phase })], phases: ['pending', phase] })).toContain('start')
  expect(rules({ prebuilds: [prebuild({ phase: 'deleting', desiredPhase: 'deleted' })] })).not.toContain(
    'start',
  )
})

test('a machine that started from what is of another prebuild, or of a machine of somebody, is a wrong start', () => {
  expect(rules({ environments: [claimed, member(), ...makers({ prebuildId: 'prebuild-2' })] })).toEqual([
    'start',
  ])
  const ofClaimed = { startedFrom: { from: 'disk' as const, snapshotId: 'disk-1' } }
  const environments = [claimed, member(ofClaimed), ...makers()]
  expect(rules({ environments, snapshots: [disk({ environmentId: 'claimed' }), memory()] })).toEqual([
    'start',
  ])
})

test('a running machine whose guest acts as another one is a wrong start', () => {
  const machines = [machine('claimed'), machine('ready', { layerId: 'memory-1', actsAs: 'template' })]
  expect(rules({ machines })).toEqual(['start'])
})
