import type { Stored } from '@hearth/messaging'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Answer, forgottenAfter, hasForgotten, newestOf } from './forgotten.ts'

const most = 4

interface Kept {
  position: number
  checkpoints: readonly { sequence: number; eventId: string; position: number }[]
}

interface Round {
  /** Whether the newest checkpoint is recent enough to be replaced by the next one. */
  young: boolean
  /** A replica killed during its round commits nothing. */
  commits: boolean
  /** How many stored messages the stream forgets before the round's first publication, its second, and so on. */
  forgets: readonly number[]
}

/** Model of a NATS stream, one observer, and replicas that publish events with positions 1, 2, 3, and so on. */
class Publishing {
  private readonly stream: number[] = []
  private delivered = 0
  readonly observed = new Set<number>()
  private isNew = true
  private kept: Kept = { position: 0, checkpoints: [] }

  round(newest: number, round: Round): void {
    if (this.isNew) this.delivered = Math.min(this.delivered, this.stream.length)
    const next = this.wentBack() ?? this.published(newest, round)
    if (!round.commits) return
    this.kept = next
    this.isNew = false
  }

  private wentBack(): Kept | null {
    const { checkpoints, position } = this.kept
    const checkpoint = checkpoints.at(-1)
    if (checkpoint === undefined) return null
    const eventId = this.stream[checkpoint.sequence - 1]?.toString() ?? null
    const end = forgottenAfter(checkpoint, { eventId, first: 1, last: this.stream.length })
    if (end === null) return null
    const left = checkpoints.filter(({ sequence }) => sequence <= end)
    if (!this.isNew || end < this.stream.length)
      this.delivered = Math.min(this.delivered, left.at(-1)?.sequence ?? 0)
    return { position: Math.min(position, left.at(-1)?.position ?? 0), checkpoints: left }
  }

  private published(newest: number, { young, forgets }: Round): Kept {
    const { position, checkpoints } = this.kept
    const former = checkpoints.at(-1)
    const end = Math.min(position + most, newest)
    const answers: Answer[] = []
    for (let event = position + 1; event <= end; event++) {
      this.forget(forgets[event - position - 1] ?? 0)
      answers.push({ ...this.store(event), eventId: String(event) })
    }
    const known = newestOf(former ?? null, answers)
    if (known === null || answers.length === 0 || hasForgotten(former ?? null, answers)) return this.kept
    const { sequence, eventId } = known
    const before = checkpoints.filter((one) => one.sequence !== sequence && !(young && one === former))
    return { position: end, checkpoints: [...before, { sequence, eventId, position: end }] }
  }

  private store(event: number): Stored {
    const held = this.stream.indexOf(event)
    if (held === -1) this.stream.push(event)
    return { sequence: held === -1 ? this.stream.length : held + 1, duplicate: held !== -1 }
  }

  /** A server comes back with fewer messages; nothing has been published over its new connections yet. */
  comeBack(messages: number): void {
    this.forget(messages)
    this.isNew = true
  }

  private forget(messages: number): void {
    this.stream.splice(Math.max(0, this.stream.length - messages))
  }

  observe(): void {
    for (; this.delivered < this.stream.length; this.delivered++)
      this.observed.add(this.stream[this.delivered] ?? 0)
  }

  held(): number[] {
    return [...this.stream].sort((one, other) => one - other)
  }
}

const anyMessages = fc.integer({ min: 1, max: 8 })
const anyForgetting = fc.array(fc.oneof(fc.constant(0), anyMessages), { maxLength: most })
const anySteps = (anyRound: fc.Arbitrary<Round>) =>
  fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('commit' as const), events: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ do: fc.constant('come back' as const), messages: anyMessages }),
      fc.record({ do: fc.constant('observe' as const) }),
      anyRound.map((round) => ({ do: 'round' as const, round })),
    ),
    { maxLength: 40 },
  )
type Steps = ReturnType<typeof anySteps> extends fc.Arbitrary<infer All> ? All : never

/** The final state, and what it should be. */
function after(steps: Steps): { publishing: Publishing; all: number[] } {
  const publishing = new Publishing()
  let newest = 0
  for (const step of steps) {
    if (step.do === 'commit') newest += step.events
    else if (step.do === 'come back') publishing.comeBack(step.messages)
    else if (step.do === 'observe') publishing.observe()
    else publishing.round(newest, step.round)
  }
  for (let round = 0; round < 2 * newest + 20; round++)
    publishing.round(newest, { young: false, commits: true, forgets: [] })
  publishing.observe()
  return { publishing, all: Array.from({ length: newest }, (_, index) => index + 1) }
}

test('whatever the stream forgets and whoever is killed, it holds every event in the end', () => {
  const anyRound = fc.record({ young: fc.boolean(), commits: fc.boolean(), forgets: anyForgetting })
  fc.assert(
    fc.property(anySteps(anyRound), (steps) => {
      const { publishing, all } = after(steps)
      expect(publishing.held()).toEqual(all)
    }),
    { numRuns: 5_000 },
  )
})

test('whatever the servers forget and whoever is killed, observers have seen every event in the end', () => {
  const anyRound = fc.record({ young: fc.boolean(), commits: fc.boolean(), forgets: fc.constant([]) })
  fc.assert(
    fc.property(anySteps(anyRound), (steps) => {
      const { publishing, all } = after(steps)
      expect([...publishing.observed].sort((one, other) => one - other)).toEqual(all)
    }),
    { numRuns: 5_000 },
  )
})

test('while the stream holds everything it acknowledged, nothing counts as forgotten, even what was published twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 50 }),
      fc.integer({ min: 1, max: 20 }),
      (duplicates, newest) => {
        let last = newest
        const answers = duplicates.map((duplicate) => {
          if (!duplicate) last += 1
          return { sequence: duplicate ? Math.max(1, last - 3) : last, duplicate }
        })
        const checkpoint = { sequence: newest, eventId: 'newest' }
        expect(hasForgotten(checkpoint, answers)).toBe(false)
        expect(forgottenAfter(checkpoint, { eventId: 'newest', first: 1, last })).toBeNull()
      },
    ),
    { numRuns: 1_000 },
  )
})

test('an expired message is not forgotten; one whose number another message has is', () => {
  const checkpoint = { sequence: 9, eventId: 'newest' }
  expect(forgottenAfter(checkpoint, { eventId: null, first: 10, last: 9 })).toBeNull()
  expect(forgottenAfter(checkpoint, { eventId: null, first: 12, last: 30 })).toBeNull()
  expect(forgottenAfter(checkpoint, { eventId: null, first: 8, last: 7 })).toBe(7)
  expect(forgottenAfter(checkpoint, { eventId: 'another', first: 1, last: 30 })).toBe(8)
})
