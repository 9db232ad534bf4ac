import { copySeconds } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CopySource } from '../table.ts'
import { decideCopy, type SeenCopy, type SeenOrigin } from './decide-copy.ts'

const now = new Date('2026-01-01T12:00:00Z')
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000).toISOString()
const unbegun: CopySource = {
  ...{ kind: 'runner', runnerId: null, address: null, grantId: null, endsAt: null },
  ...{ triedRunnerIds: [], isGivenUp: false },
}
const address = { host: 'north.example', port: 7_070 }
const fromNorth: CopySource = { ...unbegun, runnerId: 'n', address, grantId: 'g', endsAt: at(60) }
const copy = (change: Partial<SeenCopy> = {}): SeenCopy => ({
  ...{ runnerId: 'w', runner: 'west', phase: 'pending', failure: null, source: unbegun, from: null },
  ...{ base: { state: 'here' }, unable: null },
  ...change,
})
const origin = (name: string, change: Partial<SeenOrigin> = {}): SeenOrigin => ({
  ...{ runnerId: name[0] ?? '', runner: name, silent: false, address },
  ...{ isFlat: false, isRead: false, flattening: null },
  ...change,
})
const [north, south] = [origin('north'), origin('south')]
const full = { code: 'disk_full' as const, message: 'no room' }

test('a copy is made from the first runner that has the layer and answers', () => {
  const attempt = (from: SeenOrigin, tried: string[]) => ({ do: 'attempt', from, tried })
  expect(decideCopy(copy(), [north, south], now)).toEqual(attempt(north, []))
  const silent = { ...north, silent: true }
  expect(decideCopy(copy(), [silent, south], now)).toEqual(attempt(south, []))
  expect(decideCopy(copy({ phase: 'copying', source: fromNorth }), [north, south], now)).toBeNull()
})

test.each<[string, Partial<SeenCopy>, SeenOrigin]>([
  ['it fails', { phase: 'failed', failure: full, source: fromNorth }, north],
  ['nothing comes in time', { phase: 'copying', source: { ...fromNorth, endsAt: at(0) } }, north],
  ['the runner goes silent', { phase: 'copying', source: fromNorth }, { ...north, silent: true }],
])('another runner is tried where %s, and each only once', (_, change, first) => {
  const action = decideCopy(copy(change), [first, south], now)
  expect(action).toMatchObject({ do: 'attempt', from: { runnerId: 's' }, tried: ['n'] })
  const last = { ...fromNorth, runnerId: 's', triedRunnerIds: ['n'], endsAt: at(0) }
  expect(decideCopy(copy({ ...change, phase: 'failed', source: last }), [first, south], now)).toMatchObject({
    do: 'give-up',
  })
})

test.each<[string, Partial<SeenCopy>, SeenOrigin[], string]>([
  [
    'with the cause of the last attempt',
    { phase: 'failed', failure: full, source: fromNorth },
    [north],
    'no room',
  ],
  [
    'because nothing came',
    { phase: 'copying', source: { ...fromNorth, endsAt: at(0) }, from: 'north' },
    [north],
    `north sent nothing of it for ${copySeconds / 60} minutes`,
  ],
  [
    'because the other is silent',
    { phase: 'copying', source: fromNorth, from: 'north' },
    [],
    'north went silent',
  ],
  [
    'because no other lets it copy',
    {},
    [origin('north', { address: null })],
    'HEARTH_LAYERS_ADDRESS is not set',
  ],
  ['because none answers', {}, [origin('north', { silent: true })], 'answers (north)'],
  ['because of the layer below', { base: { state: 'failed', failure: full } }, [north], 'no room'],
  ['because of its agent', { unable: full }, [north], 'no room'],
])('a copy is given up %s', (_, change, origins, message) => {
  expect(decideCopy(copy(change), origins, now)).toMatchObject({
    do: 'give-up',
    failure: { message: expect.stringContaining(message) },
  })
})

test('a copy waits for the layer below, and what was given up is forgotten after a while', () => {
  for (const state of ['coming', 'absent'] as const)
    expect(decideCopy(copy({ base: { state } }), [north], now)).toBeNull()
  const given = (endsAt: string) =>
    copy({ phase: 'failed', source: { ...fromNorth, isGivenUp: true, endsAt } })
  expect(decideCopy(given(at(1)), [north], now)).toBeNull()
  expect(decideCopy(given(at(0)), [north], now)).toEqual({ do: 'forget' })
})

const going: SeenCopy['base'] = { state: 'going', because: 'it stands on first, which is being deleted' }
const flattening = { id: 'f', endsAt: at(60), failure: null }
const atNorth: CopySource = { ...unbegun, runnerId: 'n' }
const refused = { ...north, flattening: { ...flattening, failure: full } }
const late = { ...north, flattening: { ...flattening, endsAt: at(0) } }

test.each<[string, Partial<SeenCopy>, SeenOrigin[], object | null]>([
  ['asks for a flat layer', {}, [north, south], { do: 'flatten', at: north, tried: [] }],
  ['takes a layer that is flat', {}, [north, { ...south, isFlat: true }], { do: 'attempt', tried: [] }],
  ['joins one who waits', {}, [south, { ...north, flattening }], { do: 'flatten', at: { runnerId: 'n' } }],
  ['waits', { source: atNorth }, [{ ...north, flattening }, south], null],
  ['goes on', { source: atNorth }, [{ ...north, flattening, isFlat: true }], { do: 'attempt', tried: [] }],
  ['lets a reader finish first', {}, [{ ...north, isRead: true }], null],
  ['asks another after a refusal', { source: atNorth }, [refused, south], { at: south, tried: ['n'] }],
  ['asks another after a while', { source: atNorth }, [late, south], { at: south, tried: ['n'] }],
  [
    'says who refused, and why',
    { source: atNorth, from: 'north' },
    [refused],
    {
      failure: {
        code: 'disk_full',
        message: expect.stringMatching(/^it stands on first.*north could.*no room$/),
      },
    },
  ],
  [
    'says who took too long',
    { source: atNorth, from: 'north' },
    [late],
    { failure: { code: 'deadline_passed', message: expect.stringContaining('north could not make it') } },
  ],
  [
    'says who went silent',
    { source: atNorth, from: 'north' },
    [{ ...north, silent: true }],
    { failure: { code: 'runner_lost', message: expect.stringContaining('north went silent') } },
  ],
])('where the layer below is on its way out a copy %s', (_, change, origins, action) => {
  const decided = decideCopy(copy({ base: going, ...change }), origins, now)
  if (action === null) expect(decided).toBeNull()
  else expect(decided).toMatchObject(action)
})

test('a layer that gets another disk is not read meanwhile, and one that stays as it is may be', () => {
  expect(decideCopy(copy(), [{ ...north, flattening }], now)).toBeNull()
  for (const one of [refused, late]) expect(decideCopy(copy(), [one], now)).toMatchObject({ do: 'attempt' })
  const coming = copy({ base: { state: 'coming' } })
  expect(decideCopy(coming, [{ ...north, isFlat: true }], now)).toMatchObject({ do: 'attempt' })
})

test('flattening comes to an end, too: each runner that cannot is asked once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean()), (count, delays) => {
      let origins = Array.from({ length: count }, (_, index) => origin(`${index}`))
      let seen = copy({ base: going })
      const asked: string[] = []
      for (let turn = 0; turn <= count; turn += 1) {
        const action = decideCopy(seen, origins, now)
        if (action?.do !== 'flatten') {
          expect(action?.do).toBe('give-up')
          expect(asked).toHaveLength(count)
          return
        }
        const { runnerId } = action.at
        expect(asked).not.toContain(runnerId)
        asked.push(runnerId)
        const ended =
          delays[turn] === true ? { ...flattening, endsAt: at(0) } : { ...flattening, failure: full }
        origins = origins.map((one) => (one.runnerId === runnerId ? { ...one, flattening: ended } : one))
        seen = copy({ base: going, source: { ...unbegun, runnerId, triedRunnerIds: action.tried } })
      }
      expect.fail('it did not end')
    }),
  )
})

test('every copy comes to an end: however each attempt goes, no runner is tried twice', () => {
  const ends = fc.constantFrom('failed' as const, 'ended' as const, 'silent' as const)
  fc.assert(
    fc.property(
      fc.array(ends, { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 0, max: 4 }),
      (ways, count) => {
        let origins = Array.from({ length: count }, (_, index) => origin(`${index}`))
        let seen = copy()
        const tried: string[] = []
        for (const way of ways) {
          const action = decideCopy(seen, origins, now)
          if (action?.do !== 'attempt') {
            expect(action?.do).toBe('give-up')
            expect(tried).toHaveLength(count)
            return
          }
          expect(tried).not.toContain(action.from.runnerId)
          tried.push(action.from.runnerId)
          const { runnerId } = action.from
          const endsAt = at(way === 'ended' ? 0 : 60)
          const source = { ...unbegun, runnerId, address, grantId: 'g', endsAt, triedRunnerIds: action.tried }
          seen = copy({ phase: way === 'failed' ? 'failed' : 'copying', failure: full, source })
          if (way === 'silent')
            origins = origins.map((one) => (one.runnerId === runnerId ? { ...one, silent: true } : one))
        }
        expect.fail('it did not end')
      },
    ),
  )
})
