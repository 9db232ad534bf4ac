import { expect, test } from 'vitest'
import { check } from './check.ts'
import type { History, Records, Rule } from './history.ts'
import { disk, makers, member, memory, moved, prebuild, prebuiltHistory } from './prebuilt-sample.ts'
import { environment, layer, machine } from './sample.ts'

const rules = (history: History): Rule[] => [...new Set(check(history).map(({ rule }) => rule))]
const claimed = environment('claimed', { claimId: 'claim-1' })
/** A member that started from its image, beside nothing that a prebuild has left. */
const plain = {
  environments: [claimed, environment('ready'), ...makers()],
  machines: [machine('claimed'), machine('ready')],
  layers: [],
  snapshots: [],
}
const alone = { snapshotId: null, templates: [] }
const ended = (phase: 'failed' | 'cancelled' | 'deleted', failure: string | null = null) => ({
  ...plain,
  prebuilds: [prebuild({ ...alone, phase, failure, ...(phase === 'failed' ? {} : { desiredPhase: phase }) })],
  phases: phase === 'deleted' ? ['pending', 'deleting', 'deleted'] : ['pending', phase],
})

test('a correct run has no violation', () => {
  expect(check(prebuiltHistory())).toEqual([])
  expect(check(prebuiltHistory({ ...ended('failed', 'exit 1'), wanted: { setUp: 'fails' } }))).toEqual([])
  expect(check(prebuiltHistory({ ...ended('cancelled'), wanted: { wanted: 'cancelled' } }))).toEqual([])
  expect(check(prebuiltHistory({ ...ended('deleted'), wanted: { wanted: 'deleted' } }))).toEqual([])
})

test('a move that is not in the table breaks the phases, and so does one that began in the middle', () => {
  expect(rules(prebuiltHistory({ phases: ['pending', 'starting', 'completed'] }))).toEqual(['phases'])
  expect(rules(prebuiltHistory({ phases: ['pending', 'starting', 'running', 'starting'] }))).toEqual([
    'phases',
  ])
  expect(rules(prebuiltHistory({ phases: ['running', 'stopping', 'snapshotting', 'completed'] }))).toEqual([
    'phases',
  ])
})

test('a prebuild that did not end as was wanted is a lost intent', () => {
  expect(rules(prebuiltHistory({ prebuilds: [] }))).toContain('lost intent')
  expect(rules(prebuiltHistory(ended('failed', 'exit 1')))).toEqual(['lost intent'])
  expect(rules(prebuiltHistory({ wanted: { setUp: 'fails' } }))).toEqual(['lost intent'])
  for (const wanted of ['cancelled', 'deleted'] as const)
    expect(rules(prebuiltHistory({ wanted: { wanted } }))).toEqual(['lost intent'])
})

test('one may fail where a fault of the run may make it fail, or its set-up was changed', () => {
  const excused = prebuiltHistory(ended('failed', 'no space'))
  excused.excused.failedMachines = true
  expect(check(excused)).toEqual([])
  expect(check(prebuiltHistory({ ...ended('failed', 'exit 1'), wanted: { setUp: 'either' } }))).toEqual([])
})

test('an older one may go that completed before a newer one, and no other', () => {
  const gone = prebuild({ ...alone, id: 'prebuild-0', phase: 'deleted', desiredPhase: 'deleted' })
  const history = prebuiltHistory({ prebuilds: [gone, prebuild()] })
  history.intents.prebuilds.push({
    id: 'prebuild-0',
    projectId: 'project-1',
    wanted: 'completed',
    setUp: 'works',
  })
  expect(rules(history)).toEqual(['lost intent'])
  const moves = [
    'pending',
    'starting',
    'running',
    'stopping',
    'snapshotting',
    'completed',
    'deleting',
    'deleted',
  ]
  const events = moves.map((phase, index) => moved(index + 7, phase, 'prebuild-0'))
  history.streamed = [...history.streamed, ...events]
  history.published = history.streamed
  expect(check(history)).toEqual([])
})

test('one that still works at the end is a lost intent; past its deadline, or without saying why, it breaks the deadlines', () => {
  const waits = (change: Partial<Records['prebuilds'][number]>) =>
    prebuiltHistory({
      ...plain,
      prebuilds: [prebuild({ ...alone, phase: 'starting', why: 'it waits', ...change })],
      phases: ['pending', 'starting'],
    })
  expect(rules(waits({}))).toEqual(['lost intent'])
  expect(rules(waits({ why: '' }))).toEqual(['lost intent', 'deadline'])
  expect(rules(waits({ deadline: new Date('2025-12-31T23:59:00Z') }))).toEqual(['lost intent', 'deadline'])
  const recorded = { deadline: new Date('2025-12-31T23:59:00Z'), failure: 'the runner is silent' }
  expect(rules(waits(recorded))).toEqual(['lost intent'])
})

test('a failure without a cause breaks the deadlines', () => {
  expect(rules(prebuiltHistory({ ...ended('failed'), wanted: { setUp: 'fails' } }))).toEqual(['deadline'])
})

test('a completed one whose disk is gone is a lost intent', () => {
  expect(rules(prebuiltHistory({ snapshots: [memory()] }))).toContain('lost intent')
  const held = [{ runnerId: 'runner-1', phase: 'failed' as const, failure: 'full' }]
  expect(rules(prebuiltHistory({ snapshots: [disk({ holders: held }), memory()] }))).toContain('lost intent')
  expect(rules(prebuiltHistory({ layers: [layer('memory-1', { hasMemory: true })] }))).toEqual([
    'lost intent',
  ])
})

test('machines, snapshots and memory that are left of one are orphans', () => {
  const [builder, template] = makers()
  const left = environment('builder', { poolId: null, prebuildId: 'prebuild-1' })
  const there = [machine('claimed'), machine('ready'), machine('builder')]
  if (builder === undefined || template === undefined) throw new Error('there are two')
  const failed = { ...ended('failed', 'exit 1'), wanted: { setUp: 'fails' as const } }
  const machines = prebuiltHistory({
    ...failed,
    environments: [claimed, environment('ready'), left, template],
    machines: there,
  })
  expect(rules(machines)).toEqual(['orphan'])
  expect(rules(prebuiltHistory({ ...failed, snapshots: [disk()], layers: [layer('disk-1')] }))).toEqual([
    'orphan',
  ])
  const used = {
    environments: [claimed, member(), ...makers()],
    machines: [machine('claimed'), machine('ready', { layerId: 'disk-1' })],
    snapshots: [disk({ phase: 'deleting', isWanted: false })],
  }
  const phases = [
    'pending',
    'starting',
    'running',
    'stopping',
    'snapshotting',
    'completed',
    'deleting',
    'deleted',
  ]
  const deleted = { ...ended('deleted'), wanted: { wanted: 'deleted' as const }, phases, ...used }
  expect(check(prebuiltHistory({ ...deleted, layers: [layer('disk-1')] }))).toEqual([])
  expect(rules(prebuiltHistory({ ...deleted, layers: [layer('disk-1', { hasMemory: true })] }))).toEqual([
    'orphan',
  ])
})

test('one that is to be deleted may be on its way for as long as something stands on its layers, and no longer', () => {
  const going = {
    prebuilds: [
      prebuild({ templates: [], phase: 'deleting', desiredPhase: 'deleted', why: 'a machine stands on it' }),
    ],
    phases: ['pending', 'starting', 'running', 'stopping', 'snapshotting', 'completed', 'deleting'],
    wanted: { wanted: 'deleted' as const },
    snapshots: [disk({ phase: 'deleting', isWanted: false })],
    environments: [claimed, member(), ...makers()],
  }
  const used = { ...going, machines: [machine('claimed'), machine('ready', { layerId: 'disk-1' })] }
  expect(check(prebuiltHistory({ ...used, layers: [layer('disk-1')] }))).toEqual([])
  expect(rules(prebuiltHistory({ ...going, machines: plain.machines, layers: [] }))).toEqual(['lost intent'])
})

test('a secret in a layer of a prebuild, or what opens a repository in a machine, is a leak', () => {
  const layers = [
    layer('disk-1', { holdsSecret: true }),
    layer('memory-1', { parentId: 'disk-1', hasMemory: true }),
  ]
  expect(rules(prebuiltHistory({ layers }))).toEqual(['secrets'])
  const machines = [machine('claimed'), machine('ready', { layerId: 'memory-1', holdsCredentials: true })]
  expect(rules(prebuiltHistory({ machines }))).toEqual(['secrets'])
})
