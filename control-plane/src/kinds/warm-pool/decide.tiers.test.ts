import fc from 'fast-check'
import { expect, test } from 'vitest'
import { now, sampleMember, samplePool } from './decide.fixture.ts'
import { decide, type Member, type PoolAction, type SeenPool } from './decide.ts'

let count = 0
function member(change: Partial<Member> = {}): Member {
  count += 1
  return sampleMember(String(count).padStart(6, '0'), change)
}
const asleep = (change: Partial<Member> = {}) =>
  member({ phase: 'suspended', desiredPhase: 'suspended', ...change })

const pool = (change: Partial<SeenPool>) => samplePool({ size: 4, running: 1, ...change })
const actionsOf = (change: Partial<SeenPool>) => decide(pool(change)).actions

test('what need not run is put to rest once it is ready', () => {
  const members = [member(), member(), member({ phase: 'provisioning', readyAt: null })]
  expect(actionsOf({ size: 3, members })).toEqual([
    { do: 'rest', id: expect.any(String) as string, phase: 'suspended' },
  ])
  expect(actionsOf({ size: 3, members, rest: 'stopped' })).toMatchObject([{ do: 'rest', phase: 'stopped' }])
})

test('after a claim of the one that ran, another is woken at once, and a new one is made', () => {
  const members = [asleep(), asleep(), asleep()]
  expect(actionsOf({ members })).toEqual([
    { do: 'create', count: 1 },
    { do: 'wake', count: 1, among: [members[2]?.id] },
  ])
  const waking = [
    member({ phase: 'resuming' }),
    asleep(),
    asleep(),
    member({ phase: 'pending', readyAt: null }),
  ]
  expect(actionsOf({ members: waking })).toEqual([])
})

test('of each runner so many may be woken as are lacking, since any may have no room', () => {
  const members = ['one', 'one', 'one', 'other'].map((runnerId) => asleep({ runnerId }))
  const [first, second, third] = members.toReversed()
  expect(actionsOf({ running: 2, members })).toEqual([
    { do: 'wake', count: 2, among: [first, second, third].map((one) => one?.id) },
  ])
})

test('a host that cannot suspend a member has it run, and is left alone for a while', () => {
  const stuck = member({ desiredPhase: 'suspended', notRested: true })
  const members = [member(), stuck, asleep(), asleep()]
  const decision = decide(pool({ members }))
  expect(decision.actions).toEqual([{ do: 'wake', count: 1, among: [stuck.id] }])
  expect(decision.restsAgainAt).toEqual(new Date(now.getTime() + 600_000))
  const woken = [member(), member(), asleep(), asleep()]
  expect(actionsOf({ members: woken, restsAgainAt: new Date(now.getTime() + 1) })).toEqual([])
  expect(actionsOf({ members: woken })).toMatchObject([{ do: 'rest' }])
})

test('members at rest that are made from an older set-up are replaced one at a time', () => {
  const old = [asleep({ current: false }), asleep({ current: false }), member({ current: false })]
  expect(actionsOf({ size: 3, members: old })).toEqual([{ do: 'create', count: 1 }])
})

test('a pool made smaller lets those at rest go before those that run', () => {
  const members = [member(), asleep(), asleep()]
  const gone = actionsOf({ size: 1, members }).flatMap((action) =>
    action.do === 'retire' ? [action.id] : [],
  )
  expect(gone.toSorted()).toEqual(members.slice(1).map(({ id }) => id))
})

/** The pool once all that was asked of its hosts has happened. */
function after(seen: SeenPool, actions: readonly PoolAction[]): SeenPool {
  const rested = new Map(
    actions.flatMap((action) => (action.do === 'rest' ? [[action.id, action.phase]] : [])),
  )
  const woken = new Set(
    actions.flatMap((action) => (action.do === 'wake' ? action.among.slice(0, action.count) : [])),
  )
  const gone = new Set(actions.flatMap((action) => (action.do === 'retire' ? [action.id] : [])))
  const made = actions.flatMap((action) =>
    action.do === 'create' ? Array.from({ length: action.count }) : [],
  )
  const members = seen.members
    .filter(({ id }) => !gone.has(id))
    .map((each): Member => {
      const phase = rested.get(each.id)
      if (phase !== undefined) return { ...each, phase, desiredPhase: phase }
      if (woken.has(each.id)) return { ...each, phase: 'running', desiredPhase: 'running', notRested: false }
      if (each.phase === 'suspending') return { ...each, phase: 'suspended' }
      if (['pending', 'provisioning', 'starting', 'resuming'].includes(each.phase))
        return { ...each, phase: 'running', readyAt: now }
      return each
    })
  return { ...seen, members: [...members, ...made.map(() => member({ phase: 'pending', readyAt: null }))] }
}

const anyMember = fc
  .record({
    state: fc.constantFrom(
      ['running', 'running'] as const,
      ['running', 'suspended'] as const,
      ['suspending', 'suspended'] as const,
      ['suspended', 'suspended'] as const,
      ['resuming', 'running'] as const,
      ['provisioning', 'running'] as const,
    ),
    current: fc.boolean(),
  })
  .map(({ state: [phase, desiredPhase], current }) => ({ phase, desiredPhase, current }))

test('from any state a pool comes to have exactly its size, and exactly so many that run', () => {
  fc.assert(
    fc.property(
      fc.array(anyMember, { maxLength: 10 }),
      fc.nat(6),
      fc.nat(6),
      fc.constantFrom('suspended' as const, 'stopped' as const),
      (given, size, most, rest) => {
        const running = Math.min(most, size)
        const members = given.map((change) => {
          const notRested = change.phase === 'running' && change.desiredPhase === 'suspended'
          return member({ ...change, notRested, readyAt: change.phase === 'provisioning' ? null : now })
        })
        let seen = pool({ size, running, rest, members })
        for (let round = 0; round < 40; round += 1) seen = after(seen, decide(seen).actions)
        expect(decide(seen).actions).toEqual([])
        expect(seen.members).toHaveLength(size)
        expect(seen.members.filter(({ phase }) => phase === 'running')).toHaveLength(running)
        expect(seen.members.every(({ current }) => current)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
