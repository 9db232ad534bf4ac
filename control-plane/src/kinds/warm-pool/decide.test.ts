import { type DeletionReason, environmentPhases, type Failure } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { now, sampleMember, samplePool } from './decide.fixture.ts'
import { decide, type Member, type SeenPool } from './decide.ts'

const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
let count = 0

function member(change: Partial<Member> = {}): Member {
  count += 1
  const createdAt = change.createdAt ?? minutesAgo(1)
  return sampleMember(String(count).padStart(6, '0'), { createdAt, readyAt: createdAt, ...change })
}
const booting = (change: Partial<Member> = {}) => member({ phase: 'provisioning', readyAt: null, ...change })

const actionsOf = (change: Partial<SeenPool>) => decide(samplePool(change)).actions
const retiring = (reason: DeletionReason, ...members: Member[]) =>
  members.map(({ id }) => ({ do: 'retire', id, reason }))

const failure: Failure = { code: 'command_failed', message: 'npm ci ended with 1', step: 'project_setup' }
const failedBoot = (secondsAgo: number) => ({
  failed: true,
  at: new Date(now.getTime() - secondsAgo * 1000),
  failure,
})

test('an empty pool makes what is missing, a full one nothing', () => {
  expect(actionsOf({})).toEqual([{ do: 'create', count: 2 }])
  expect(actionsOf({ members: [member(), member()] })).toEqual([])
})

test('machines on their way count, so none is made twice', () => {
  expect(actionsOf({ members: [booting({ phase: 'pending' }), booting()] })).toEqual([])
})

test('a pool made smaller lets the unready go first, the youngest of them, and then the oldest', () => {
  const old = member({ createdAt: minutesAgo(9) })
  const young = member({ createdAt: minutesAgo(1) })
  const [early, late] = [booting({ createdAt: minutesAgo(2) }), booting({ createdAt: minutesAgo(1) })]
  const members = [young, late, early, old]
  expect(actionsOf({ size: 3, members })).toEqual(retiring('pool_surplus', late))
  expect(actionsOf({ size: 2, members })).toEqual(retiring('pool_surplus', early, late))
  expect(actionsOf({ size: 1, members })).toEqual(retiring('pool_surplus', early, late, old))
})

test('members of an older configuration stay until a newer one is ready, and are replaced one at a time', () => {
  const older = [member({ current: false }), member({ current: false })] as const
  expect(actionsOf({ members: older })).toEqual([{ do: 'create', count: 1 }])
  expect(actionsOf({ members: [...older, booting()] })).toEqual([])
  expect(actionsOf({ members: [...older, member()] })).toEqual([
    ...retiring('older_configuration', older[0]),
    { do: 'create', count: 1 },
  ])
})

test('what is claimed while members are replaced is made up for at once', () => {
  const older = member({ current: false })
  expect(actionsOf({ size: 4, members: [older, booting()] })).toEqual([{ do: 'create', count: 3 }])
})

test('a machine that is being made from an older configuration is given up at once', () => {
  const older = booting({ current: false })
  expect(actionsOf({ size: 1, members: [older] })).toEqual([
    ...retiring('older_configuration', older),
    { do: 'create', count: 1 },
  ])
})

test('a paused member is replaced before all others, one at a time, and is good again once its guest goes on', () => {
  const old = member({ createdAt: minutesAgo(90), current: false })
  const paused = member({ paused: true })
  expect(actionsOf({ members: [old, paused] })).toEqual([{ do: 'create', count: 1 }])
  const replacement = member()
  expect(actionsOf({ members: [old, paused, replacement] })).toEqual([
    ...retiring('pool_surplus', paused),
    { do: 'create', count: 1 },
  ])
  expect(actionsOf({ members: [member(), { ...paused, paused: false }] })).toEqual([])
})

test('a member that has been ready for too long is replaced, the oldest first, and stays until then', () => {
  const [older, old, young] = [9, 8, 2].map((minutes) => member({ createdAt: minutesAgo(minutes) })) as [
    Member,
    Member,
    Member,
  ]
  const seen = { size: 3, maxAgeMinutes: 5, members: [young, old, older] }
  expect(actionsOf(seen)).toEqual([{ do: 'create', count: 1 }])
  expect(actionsOf({ ...seen, members: [...seen.members, booting()] })).toEqual([])
  expect(actionsOf({ ...seen, members: [...seen.members, member()] })).toEqual([
    ...retiring('too_old', older),
    { do: 'create', count: 1 },
  ])
})

test('age counts from when a machine was ready, so that a slow boot is not worn out by its own', () => {
  const slow = member({ createdAt: minutesAgo(60), readyAt: minutesAgo(1) })
  const seen = samplePool({ size: 1, maxAgeMinutes: 5, members: [slow] })
  expect(decide(seen).actions).toEqual([])
  expect(decide(seen).lookAgainAt).toEqual(new Date(now.getTime() + 4 * 60_000))
})

test('what a silent or draining runner holds is replaced at once', () => {
  const lost = member({ abandoned: 'runner_lost' })
  expect(actionsOf({ members: [lost, member()] })).toEqual([
    ...retiring('runner_lost', lost),
    { do: 'create', count: 1 },
  ])
})

test('after a failure the pool waits, longer each time, and after three it stops', () => {
  expect(decide(samplePool({ recentBoots: [failedBoot(1)] }))).toMatchObject({
    actions: [],
    consecutiveFailures: 1,
    lookAgainAt: new Date(now.getTime() + 9_000),
  })
  expect(actionsOf({ recentBoots: [failedBoot(11)] })).toEqual([{ do: 'create', count: 2 }])
  expect(actionsOf({ recentBoots: [failedBoot(11), failedBoot(60)] })).toEqual([])
  expect(
    decide(samplePool({ recentBoots: [failedBoot(9000), failedBoot(9100), failedBoot(9200)] })),
  ).toMatchObject({
    actions: [],
    retryAt: null,
    lookAgainAt: null,
    failure: { code: 'boots_keep_failing' },
  })
})

test('a configuration that does not boot costs none of the members it was to replace', () => {
  const older = [member({ current: false }), member({ current: false })]
  expect(actionsOf({ members: older, recentBoots: [1, 2, 3].map(failedBoot) })).toEqual([])
})

test('the newest failed machine is kept to be looked into, for half an hour', () => {
  const failed = (minutes: number) => member({ phase: 'failed', failedAt: minutesAgo(minutes) })
  const [older, newest] = [failed(2), failed(1)]
  expect(actionsOf({ size: 0, members: [older, newest] })).toEqual(retiring('failed', older))
  const long = failed(31)
  expect(actionsOf({ size: 0, members: [long] })).toEqual(retiring('failed', long))
})

test('a disabled pool, a cleared one and one that goes let everything go, and make nothing', () => {
  const members = [member(), member({ phase: 'failed', failedAt: now }), booting({ phase: 'pending' })]
  for (const change of [{ enabled: false }, { cleared: true }, { deleting: true }]) {
    const actions = actionsOf({ ...change, members })
    expect(actions.map((action) => ('id' in action ? action.id : null)).sort()).toEqual(
      members.map(({ id }) => id).sort(),
    )
  }
})

const anyMember = fc
  .record({
    phase: fc.constantFrom(...environmentPhases),
    current: fc.boolean(),
    abandoned: fc.constantFrom(null, 'runner_lost' as const),
    age: fc.integer({ min: 0, max: 120 }),
  })
  .map(({ phase, current, abandoned, age }) => {
    const at = minutesAgo(age)
    const readyAt = phase === 'running' ? at : null
    const rests = phase === 'stopped' || phase === 'stopping' ? 'stopped' : 'suspended'
    const isUp = !['stopped', 'stopping', 'suspended', 'suspending'].includes(phase)
    return member({
      phase,
      desiredPhase: isUp ? 'running' : rests,
      current,
      abandoned,
      createdAt: at,
      readyAt,
      failedAt: phase === 'failed' ? at : null,
    })
  })
const anyPool = fc.record({
  members: fc.array(anyMember, { maxLength: 12 }),
  size: fc.integer({ min: 0, max: 6 }),
  maxAgeMinutes: fc.constantFrom(null, 1, 30),
})

const isOnItsWay = ({ phase }: Member) =>
  phase === 'pending' || phase === 'provisioning' || phase === 'starting' || phase === 'resuming'
const isReady = ({ phase }: Member) => phase === 'running'

/** The members after the actions; new ones are on their way. */
function carriedOut(state: Pick<SeenPool, 'members' | 'size' | 'maxAgeMinutes'>): Member[] {
  let members = [...state.members]
  for (const action of actionsOf(state)) {
    if (action.do === 'retire') members = members.filter(({ id }) => id !== action.id)
    else if (action.do === 'create')
      members.push(...Array.from({ length: action.count }, () => booting({ createdAt: now })))
  }
  return members
}

test('from any state, with every boot going well, the pool reaches its size and then rests', () => {
  fc.assert(
    fc.property(anyPool, (state) => {
      let members: Member[] = [...state.members]
      for (let round = 0; round < 40; round++) {
        members = carriedOut({ ...state, members }).map((one) =>
          isOnItsWay(one) && one.abandoned === null ? { ...one, phase: 'running', readyAt: now } : one,
        )
      }
      expect(actionsOf({ ...state, members })).toEqual([])
      expect(members.filter((one) => isReady(one) && one.current)).toHaveLength(state.size)
    }),
  )
})

test('the size is held within one replacement: never more than one too many, never fewer to claim than before', () => {
  fc.assert(
    fc.property(anyPool, fc.infiniteStream(fc.boolean()), (state, chance) => {
      let members: Member[] = state.members.filter(({ abandoned }) => abandoned === null)
      for (let round = 0; round < 30; round++) {
        const before = members.filter(isReady).length
        members = carriedOut({ ...state, members })
        const ready = members.filter(isReady).length
        expect(ready).toBeGreaterThanOrEqual(Math.min(before, state.size))
        const replaces = members.some(
          (one) =>
            isReady(one) && (!one.current || actionsOf({ ...state, members: [one], size: 1 }).length > 0),
        )
        expect(members.filter(isOnItsWay).length + ready).toBeLessThanOrEqual(state.size + (replaces ? 1 : 0))
        // Some boots end, some do not, and some members are claimed.
        members = members.flatMap((one) => {
          if (isOnItsWay(one) && chance.next().value)
            return { ...one, phase: 'running' as const, readyAt: now }
          return isReady(one) && chance.next().value && chance.next().value ? [] : one
        })
      }
    }),
  )
})
