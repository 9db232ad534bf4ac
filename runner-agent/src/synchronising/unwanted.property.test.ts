import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeUnwanted, type UnwantedJudgement } from './unwanted.ts'

const grace = 30
const ids = ['a', 'b', 'c'] as const
/** One step: time passes, an order for one thing arrives, or the control plane answers. */
type Event =
  | { kind: 'pass'; milliseconds: number }
  | { kind: 'order'; id: string }
  | { kind: 'answer'; unwanted: string[] }
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ kind: fc.constant('order' as const), id: fc.constantFrom(...ids) }),
  fc.record({ kind: fc.constant('answer' as const), unwanted: fc.subarray([...ids]) }),
)

interface History {
  now: number
  judged: UnwantedJudgement
  orders: Map<string, number>
  answers: { at: number; unwanted: readonly string[] }[]
}

function replay(events: readonly Event[]) {
  const history: History = {
    now: 0,
    judged: { since: new Map(), remove: [], nextEnd: null },
    orders: new Map(),
    answers: [],
  }
  const judgements: { at: number; judged: UnwantedJudgement }[] = []
  for (const event of events) {
    switch (event.kind) {
      case 'pass':
        history.now += event.milliseconds
        break
      case 'order':
        history.orders.set(event.id, history.now)
        break
      case 'answer':
        history.answers.push({ at: history.now, unwanted: event.unwanted })
        history.judged = judgeUnwanted({
          since: history.judged.since,
          unwanted: event.unwanted,
          lastOrderAt: (id) => history.orders.get(id) ?? null,
          now: history.now,
          graceMilliseconds: grace,
        })
        judgements.push({ at: history.now, judged: history.judged })
        for (const id of history.judged.remove) {
          const last = [...history.answers].reverse()
          const lastWanted =
            last.find(({ unwanted }) => !unwanted.includes(id))?.at ?? Number.NEGATIVE_INFINITY
          const first = history.answers.find(({ at, unwanted }) => at >= lastWanted && unwanted.includes(id))
          // Called unwanted by every answer during the whole grace period, with no order in between.
          expect(history.now - Math.max(first?.at ?? history.now, lastWanted)).toBeGreaterThanOrEqual(grace)
          expect(history.orders.get(id) ?? Number.NEGATIVE_INFINITY).toBeLessThan(history.now - grace + 1)
        }
    }
  }
  return judgements
}

test('nothing is removed that was wanted, ordered, or not called unwanted for the whole grace period', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      replay(events)
    }),
    { numRuns: 1_000 },
  )
})

test('what stays unwanted is removed at the first answer after its grace period, and the next end says when to ask', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      const unwanted = { kind: 'answer' as const, unwanted: ['a'] }
      const all = replay([...events, unwanted, { kind: 'pass', milliseconds: 1 }, unwanted])
      const { at, judged } = all.at(-1) ?? expect.unreachable('there was an answer')
      const wait = judged.nextEnd === null ? 0 : judged.nextEnd - at
      expect(wait).toBeLessThanOrEqual(grace)
      const later = replay([
        ...events,
        unwanted,
        { kind: 'pass', milliseconds: 1 },
        unwanted,
        { kind: 'pass', milliseconds: wait },
        unwanted,
      ])
      expect(later.at(-1)?.judged.remove).toEqual(['a'])
    }),
  )
})
