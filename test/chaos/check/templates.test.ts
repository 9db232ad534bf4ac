import { expect, test } from 'vitest'
import { check } from './check.ts'
import type { History, Rule } from './history.ts'
import { disk, makers, memory, prebuild, prebuiltHistory } from './prebuilt-sample.ts'
import { environment, layer, machine } from './sample.ts'

const rules = (history: History): Rule[] => [...new Set(check(history).map(({ rule }) => rule))]
const [kept] = prebuild().templates
if (kept === undefined) throw new Error('it keeps one')
const template = (change: Partial<typeof kept>) =>
  prebuiltHistory({ prebuilds: [prebuild({ templates: [{ ...kept, ...change }] })] })

/** The same run, in which the members started from their image, and nothing is kept of a memory. */
function without(history: Partial<Parameters<typeof prebuiltHistory>[0]> = {}): History {
  return prebuiltHistory({
    prebuilds: [prebuild({ templates: [] })],
    environments: [environment('claimed', { claimId: 'claim-1' }), environment('ready'), ...makers()],
    machines: [machine('claimed'), machine('ready')],
    layers: [layer('disk-1')],
    snapshots: [disk()],
    ...history,
  })
}

test('a template that does not come to rest, or failed for no fault of the run, is a lost intent', () => {
  for (const phase of ['pending', 'booting', 'freezing'] as const)
    expect(rules(template({ phase }))).toEqual(['lost intent'])
  const failed = template({ phase: 'failed', failure: 'the guest did not answer' })
  expect(rules(failed)).toEqual(['lost intent'])
  failed.excused.failedMachines = true
  expect(check(failed)).toEqual([])
  const silent = template({ phase: 'failed' })
  silent.excused.failedMachines = true
  expect(rules(silent)).toEqual(['deadline'])
})

test('a template that is ready and whose memory is not there is a lost intent', () => {
  expect(rules(prebuiltHistory({ snapshots: [disk(), memory({ keepsMemory: false })] }))).toEqual([
    'lost intent',
  ])
  const layers = [layer('disk-1'), layer('memory-1', { parentId: 'disk-1' })]
  expect(rules(prebuiltHistory({ layers }))).toEqual(['lost intent'])
})

test('where a pool is enabled and a runner has room, no memory is a lost intent', () => {
  expect(rules(without())).toEqual(['lost intent'])
  const full = without()
  full.records.runners = full.records.runners.map((runner) => ({ ...runner, freeMebibytes: 2_047 }))
  expect(check(full)).toEqual([])
  const changed = without()
  changed.intents.projects = changed.intents.projects.map((project) => ({ ...project, setUpChanged: true }))
  expect(check(changed)).toEqual([])
})

test('memory that no pool starts from is an orphan: without a pool, and of an older one', () => {
  const unwanted = prebuiltHistory()
  unwanted.records.pools = unwanted.records.pools.map((pool) => ({ ...pool, enabled: false }))
  expect(rules(unwanted)).toEqual(['orphan'])
  const newer = prebuild({ id: 'prebuild-2', snapshotId: 'disk-1', templates: [] })
  const both = prebuiltHistory({ prebuilds: [prebuild(), newer] })
  expect(rules(both)).toEqual(['orphan', 'lost intent'])
  // One from which nothing starts takes no place.
  expect(check(prebuiltHistory({ prebuilds: [prebuild(), { ...newer, failedBoots: 3 }] }))).toEqual([])
})
