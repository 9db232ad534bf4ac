import { expect, test } from 'vitest'
import { check } from './check.ts'
import type { History, Records, Rule } from './history.ts'
import { calmHistory, environment, event, layer, machine, snapshot } from './sample.ts'

const rules = (history: History): Rule[] => [...new Set(check(history).map(({ rule }) => rule))]
const withRecords = (change: Partial<Records>) =>
  calmHistory({ records: { ...calmHistory().records, ...change } })
type HostRecord = History['hosts'][number]
const host = (machines: HostRecord['machines'], agents = 1, layers: HostRecord['layers'] = [layer()]) =>
  calmHistory({ hosts: [{ runnerId: 'runner-1', agents, machines, layers, routes: [], volumes: [] }] })
const both = [environment('claimed', { claimId: 'claim-1' }), environment('ready')]

test('a correct run has no violation', () => {
  expect(check(calmHistory())).toEqual([])
})

test('two answers that give the same machine to two claims are a double claim', () => {
  const { intents } = calmHistory()
  const second = { id: 'claim-2', environmentId: 'claimed', projectId: 'project-1', released: true }
  expect(rules(calmHistory({ intents: { ...intents, claims: [...intents.claims, second] } }))).toContain(
    'double claim',
  )
})

test('a claim that has another claim’s machine in the database is a double claim, even if nobody was told', () => {
  const claims: Records['claims'] = [
    { id: 'claim-1', phase: 'bound', environmentId: 'claimed', failure: null },
    { id: 'claim-2', phase: 'bound', environmentId: 'claimed', failure: null },
  ]
  expect(rules(withRecords({ claims }))).toContain('double claim')
})

test('a machine marked with another claim than the one in the answer is a double claim', () => {
  const environments = [environment('claimed', { claimId: 'claim-9' }), environment('ready')]
  expect(rules(withRecords({ environments }))).toContain('double claim')
})

test('a repeated claim with another answer is a double claim', () => {
  expect(rules(calmHistory({ repeats: [{ key: 'key', first: 'one', again: 'other' }] }))).toEqual([
    'double claim',
  ])
})

test('an acknowledged change that does not hold is a lost intent', () => {
  expect(rules(withRecords({ projects: [] }))).toEqual(['lost intent'])
  expect(rules(withRecords({ pools: [] }))).toEqual(['lost intent'])
  expect(rules(withRecords({ claims: [] }))).toEqual(['lost intent'])
  const environments = [{ id: 'unknown', desiredPhase: 'running' as const }]
  expect(rules(calmHistory({ intents: { ...calmHistory().intents, environments } }))).toEqual(['lost intent'])
})

test('something acknowledged as deleted or released that still exists is a lost intent', () => {
  const { intents } = calmHistory()
  const projects = intents.projects.map((project) => ({ ...project, deleted: true, forced: true }))
  expect(rules(calmHistory({ intents: { ...intents, projects } }))).toEqual(['lost intent'])
  const claims = intents.claims.map((claim) => ({ ...claim, released: true }))
  expect(rules(calmHistory({ intents: { ...intents, claims } }))).toEqual(['lost intent'])
})

test('a pool that is not at its size is a lost intent', () => {
  const environments = [environment('claimed', { claimId: 'claim-1' })]
  const history = withRecords({ environments })
  history.hosts = host([machine('claimed')]).hosts
  expect(rules(history)).toEqual(['lost intent'])
})

test('a pool whose members at rest are not as it says is a lost intent, unless a host could not suspend one', () => {
  const resting = { phase: 'suspended' as const, desiredPhase: 'suspended' as const }
  const pool = (
    running: number,
    change: Parameters<typeof environment>[1],
    restsAgainAt: string | null = null,
  ) => {
    const environments = [environment('claimed', { claimId: 'claim-1' }), environment('ready', change)]
    const pools = calmHistory().records.pools.map((one) => ({ ...one, restsAgainAt }))
    const { intents } = calmHistory()
    const projects = intents.projects.map((project) => ({ ...project, running }))
    const power = change?.phase === 'suspended' ? 'suspended' : 'running'
    const { hosts } = host([machine('claimed'), machine('ready', { power })])
    return { ...withRecords({ environments, pools }), intents: { ...intents, projects }, hosts }
  }
  expect(rules(pool(0, resting))).toEqual([])
  expect(rules(pool(1, resting))).toEqual(['lost intent'])
  expect(rules(pool(0, {}))).toEqual(['lost intent'])
  expect(rules(pool(0, {}, '2026-01-01T00:10:00Z'))).toEqual([])
})

test('a run that does not come to rest is a lost intent', () => {
  const stuck = environment('stuck', { phase: 'provisioning', poolId: null })
  expect(rules(withRecords({ environments: [...both, stuck] }))).toEqual(['lost intent'])
  const still = environment('still', { paused: true, poolId: null })
  expect(rules(withRecords({ environments: [...both, still] }))).toEqual(['lost intent'])
  expect(rules(withRecords({ unsent: 1 }))).toEqual(['lost intent'])
  const jobs = [{ id: 'job', operation: 'environment.provision', resourceId: 'ready', phase: 'running' }]
  expect(rules(withRecords({ jobs }))).toEqual(['lost intent'])
})

test('a machine that failed is a lost intent unless a fault of the run may make one fail', () => {
  const failed = environment('failed', { phase: 'failed', poolId: null, failure: 'no space' })
  expect(rules(withRecords({ environments: [...both, failed] }))).toEqual(['lost intent'])
  const excused = withRecords({ environments: [...both, failed] })
  excused.excused.failedMachines = true
  expect(check(excused)).toEqual([])
})

test('a runner that stays degraded is a lost intent if a pool has a machine for a probe', () => {
  const [runner] = calmHistory().records.runners
  const runners = runner === undefined ? [] : [{ ...runner, phase: 'degraded' as const }]
  const excused = { failedMachines: true }
  expect(rules({ ...withRecords({ runners }), excused })).toEqual(['lost intent'])
  const pools = calmHistory().records.pools.map((pool) => ({ ...pool, enabled: false }))
  expect(rules({ ...withRecords({ runners, pools }), excused })).toEqual([])
  expect(rules(withRecords({ runners, pools }))).toEqual(['lost intent'])
})

test('a wanted machine that is not on its host, or not as wanted, is a lost intent', () => {
  expect(rules(host([machine('claimed')]))).toEqual(['lost intent'])
  expect(rules(host([machine('claimed'), machine('ready', { power: 'shut_off' })]))).toEqual(['lost intent'])
  expect(rules(host([machine('claimed'), machine('ready', { generation: 7 })]))).toEqual(['lost intent'])
})

test('an unwanted machine on a host is an orphan, and so is a folder without a machine', () => {
  const wanted = [machine('claimed'), machine('ready')]
  expect(rules(host([...wanted, machine('unknown')]))).toEqual(['orphan'])
  expect(rules(host([...wanted, { environmentId: 'left', machine: null }]))).toEqual(['orphan'])
  const gone = environment('gone', { phase: 'deleted' })
  const history = withRecords({ environments: [...both, gone] })
  history.hosts = host([...wanted, machine('gone')]).hosts
  expect(rules(history)).toEqual(['orphan'])
})

test('two agents that act for one runner, or none, break the fencing', () => {
  expect(rules(host([machine('claimed'), machine('ready')], 2))).toEqual(['fencing'])
  expect(rules(host([machine('claimed'), machine('ready')], 0))).toEqual(['fencing'])
})

test('a passed deadline, or a failure without a cause, breaks the deadlines', () => {
  const late = environment('ready', { deadline: new Date('2025-12-31T23:59:00Z') })
  const environments = [environment('claimed', { claimId: 'claim-1' }), late]
  expect(rules(withRecords({ environments }))).toEqual(['deadline'])
  const failed = environment('failed', { phase: 'failed', poolId: null })
  expect(rules(withRecords({ environments: [...both, failed] }))).toContain('deadline')
})

test('a version that falls is seen by a reader and by both observers', () => {
  const falling = [3, 2].map((statusVersion) => ({ kind: 'Claim', id: 'c', specVersion: 1, statusVersion }))
  expect(rules(calmHistory({ readings: falling }))).toEqual(['versions'])
  expect(rules(calmHistory({ streamed: [event(1, 2), event(2, 1)] }))).toEqual(['versions'])
  expect(rules(calmHistory({ published: [event(1, 2), event(2, 1)] }))).toEqual(['versions'])
})

test('an event that is missing, comes twice over HTTP, or comes out of order breaks the events', () => {
  expect(rules(calmHistory({ streamed: [event(1, 1)] }))).toEqual(['events'])
  expect(rules(calmHistory({ streamed: [event(2, 2)] }))).toEqual(['events'])
  expect(rules(calmHistory({ streamed: [event(1, 1), event(2, 2), event(2, 2)] }))).toEqual(['events'])
  expect(rules(calmHistory({ published: [event(1, 1)] }))).toEqual(['events'])
  expect(rules(calmHistory({ published: [event(2, 2), event(1, 2)] }))).toEqual(['events'])
  expect(check(calmHistory({ published: [event(2, 2)], publishedWhole: false }))).toEqual([])
})

test('overcommitted runners and leaked secrets are reported', () => {
  expect(rules(calmHistory({ oversold: ['18 of 16'] }))).toEqual(['capacity'])
  expect(rules(calmHistory({ leaks: ['stream HEARTH_LOG'] }))).toEqual(['secrets'])
})

test('a layer that is gone from under a machine or another layer was in use', () => {
  const onGone = [machine('claimed', { layerId: 'gone' }), machine('ready')]
  expect(rules(host(onGone))).toEqual(['layer in use'])
  const pair = [machine('claimed'), machine('ready')]
  expect(rules(host(pair, 1, [layer('snapshot-1', { parentId: 'gone' })]))).toEqual(['layer in use'])
})

test('a layer that nobody wants and nothing stands on is an orphan; one on which something stands is not', () => {
  const pair = [machine('claimed'), machine('ready')]
  expect(rules(host(pair, 1, [layer(), layer('left')]))).toEqual(['orphan'])
  expect(rules(host(pair, 1, [layer(), { layerId: 'left', layer: null }]))).toEqual(['orphan'])
  const standing = [machine('claimed', { layerId: 'left' }), machine('ready')]
  expect(rules(host(standing, 1, [layer(), layer('left')]))).toEqual([])
  const failed = {
    ...snapshot(),
    holders: [{ runnerId: 'runner-1', phase: 'failed' as const, failure: 'full' }],
  }
  expect(rules(withRecords({ snapshots: [failed] }))).toEqual(['orphan'])
})

test('a snapshot that was promised and is gone, failed, or not on its host is a lost intent', () => {
  expect(rules(withRecords({ snapshots: [] }))).toContain('lost intent')
  expect(rules(withRecords({ snapshots: [snapshot({ phase: 'failed', failure: 'why' })] }))).toContain(
    'lost intent',
  )
  expect(rules(host([machine('claimed'), machine('ready')], 1, []))).toEqual(['lost intent'])
  const { intents } = calmHistory()
  const snapshots = intents.snapshots.map((one) => ({ ...one, deleted: true }))
  expect(rules(calmHistory({ intents: { ...intents, snapshots } }))).toEqual(['lost intent'])
})

test('a snapshot or a copy that does not come to rest is a lost intent', () => {
  for (const phase of ['pending', 'creating', 'deleting'] as const)
    expect(rules(withRecords({ snapshots: [snapshot({ phase })] }))).toContain('lost intent')
  const holders = [
    { runnerId: 'runner-1', phase: 'present' as const, failure: null },
    { runnerId: 'runner-2', phase: 'copying' as const, failure: null },
  ]
  expect(rules(withRecords({ snapshots: [snapshot({ holders })] }))).toEqual(['lost intent'])
})
