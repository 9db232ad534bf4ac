import { environmentPhases, type Failure } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type Member, type ObservedPool } from './decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
let count = 0

function member(change: Partial<Member> = {}): Member {
  count += 1
  return {
    id: String(count).padStart(4, '0'),
    phase: 'running',
    current: true,
    abandoned: false,
    createdAt: new Date(now.getTime() - 60_000),
    failedAt: null,
    ...change,
  }
}

function pool(change: Partial<ObservedPool> = {}): ObservedPool {
  return { enabled: true, min: 2, deleting: false, members: [], recentBoots: [], now, ...change }
}

const failure: Failure = { code: 'command_failed', message: 'npm ci ended with 1', step: 'project_setup' }
const failedBoot = (secondsAgo: number) => ({
  failed: true,
  at: new Date(now.getTime() - secondsAgo * 1000),
  failure,
})

test('an empty pool makes what is missing, a full one nothing', () => {
  expect(decide(pool()).actions).toEqual([{ do: 'create', count: 2 }])
  const full = decide(pool({ members: [member(), member()] }))
  expect(full).toMatchObject({ actions: [], phase: 'ready', ready: 2 })
})

test('machines on their way count, so none is made twice', () => {
  const members = [member({ phase: 'pending' }), member({ phase: 'provisioning' })]
  expect(decide(pool({ members }))).toMatchObject({ actions: [], phase: 'filling', provisioning: 2 })
})

test('a pool made smaller lets the unready and then the youngest go', () => {
  const old = member()
  const young = member({ createdAt: now })
  const booting = member({ phase: 'provisioning' })
  const { actions } = decide(pool({ min: 1, members: [young, booting, old] }))
  expect(actions).toEqual([young, booting].map(({ id }) => ({ do: 'retire', id })))
})

test('members of an older configuration stay until a newer one is ready, and are replaced one at a time', () => {
  const older = [member({ current: false }), member({ current: false })]
  expect(decide(pool({ members: older })).actions).toEqual([{ do: 'create', count: 1 }])
  const booting = member({ phase: 'provisioning' })
  expect(decide(pool({ members: [...older, booting] })).actions).toEqual([])
  const fresh = member()
  expect(decide(pool({ members: [...older, fresh] })).actions).toEqual([
    { do: 'retire', id: older[0]?.id },
    { do: 'create', count: 1 },
  ])
})

test('what a silent or draining runner holds is replaced at once', () => {
  const lost = member({ abandoned: true })
  expect(decide(pool({ members: [lost, member()] })).actions).toEqual([
    { do: 'retire', id: lost.id },
    { do: 'create', count: 1 },
  ])
})

test('after a failure the pool waits, longer each time, and after three it stops and says why', () => {
  expect(decide(pool({ recentBoots: [failedBoot(1)] }))).toMatchObject({
    actions: [],
    consecutiveFailures: 1,
  })
  expect(decide(pool({ recentBoots: [failedBoot(11)] })).actions).toEqual([{ do: 'create', count: 2 }])
  expect(decide(pool({ recentBoots: [failedBoot(11), failedBoot(60)] })).actions).toEqual([])
  const stopped = decide(pool({ recentBoots: [failedBoot(9000), failedBoot(9100), failedBoot(9200)] }))
  expect(stopped).toMatchObject({ actions: [], phase: 'failed', retryAt: null })
  expect(stopped.failure?.message).toContain('npm ci ended with 1')
  expect(stopped.failure?.code).toBe('boots_keep_failing')
})

test('one good boot ends the count of failures', () => {
  const recentBoots = [{ failed: false, at: now, failure: null }, failedBoot(1), failedBoot(2), failedBoot(3)]
  expect(decide(pool({ recentBoots }))).toMatchObject({ consecutiveFailures: 0, failure: null })
})

test('the newest failed machine is kept to be looked into, for half an hour', () => {
  const older = member({ phase: 'failed', failedAt: new Date(now.getTime() - 120_000) })
  const newest = member({ phase: 'failed', failedAt: new Date(now.getTime() - 60_000) })
  const retired = decide(pool({ min: 0, members: [older, newest] })).actions
  expect(retired).toEqual([{ do: 'retire', id: older.id }])
  const later = new Date(now.getTime() + 3_600_000)
  expect(decide(pool({ min: 0, members: [newest], now: later })).actions).toEqual([
    { do: 'retire', id: newest.id },
  ])
})

test('a disabled pool and one that goes let everything go', () => {
  const members = [member(), member({ phase: 'failed', failedAt: now }), member({ phase: 'pending' })]
  for (const change of [{ enabled: false }, { deleting: true }]) {
    const { actions } = decide(pool({ ...change, members }))
    expect(actions.map((action) => ('id' in action ? action.id : null)).sort()).toEqual(
      members.map(({ id }) => id).sort(),
    )
  }
})

const anyMember = fc
  .record({
    phase: fc.constantFrom(...environmentPhases),
    current: fc.boolean(),
    abandoned: fc.boolean(),
    age: fc.integer({ min: 0, max: 7_200_000 }),
  })
  .map(({ phase, current, abandoned, age }) => {
    const at = new Date(now.getTime() - age)
    return member({ phase, current, abandoned, createdAt: at, failedAt: phase === 'failed' ? at : null })
  })

test('from any state, with every boot going well, the pool reaches its size and then rests', () => {
  const states = fc.record({
    members: fc.array(anyMember, { maxLength: 12 }),
    min: fc.integer({ min: 0, max: 6 }),
  })
  fc.assert(
    fc.property(states, (state) => {
      let members = [...state.members]
      for (let round = 0; round < 40; round++) {
        const { actions } = decide(pool({ min: state.min, members }))
        for (const action of actions) {
          if (action.do === 'retire') members = members.filter(({ id }) => id !== action.id)
          else
            for (let made = 0; made < action.count; made++)
              members.push(member({ phase: 'pending', createdAt: now }))
        }
        const boots = (phase: Member['phase']) =>
          phase === 'pending' || phase === 'provisioning' || phase === 'starting'
        members = members.map((one) =>
          boots(one.phase) && !one.abandoned ? { ...one, phase: 'running' } : one,
        )
      }
      const last = decide(pool({ min: state.min, members }))
      expect(last.actions).toEqual([])
      expect(last.phase).toBe('ready')
      expect(members.filter(({ phase, current }) => phase === 'running' && current)).toHaveLength(state.min)
    }),
  )
})

test('while a configuration is replaced there are never fewer to claim than before, up to the size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 }), (min, olderCount) => {
      let members = Array.from({ length: olderCount }, () => member({ current: false }))
      let claimable = members.length
      for (let round = 0; round < 30; round++) {
        for (const action of decide(pool({ min, members })).actions) {
          if (action.do === 'retire') members = members.filter(({ id }) => id !== action.id)
          else members.push(...Array.from({ length: action.count }, () => member({ phase: 'provisioning' })))
        }
        const ready = members.filter(({ phase }) => phase === 'running').length
        expect(ready).toBeGreaterThanOrEqual(Math.min(claimable, min))
        members = members.map((one) => ({ ...one, phase: 'running' as const }))
        claimable = members.length
      }
    }),
  )
})
