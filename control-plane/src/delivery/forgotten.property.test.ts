import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type KnownStream, positionBefore, withAnswer, withEnd, withRecord } from './forgotten.ts'

const most = 4

/** A stream as NATS keeps it, and one that publishes to it in rounds of `most` events whose positions count from 1. */
class Publishing {
  readonly stream: number[] = []
  private record: { position: number; sequence: number | null } = { position: 0, sequence: null }
  private known: KnownStream = { told: 0, fallenTo: null }

  /** Of what is committed up to position `newest`; `connected` anew, or over the connection there was. */
  round(newest: number, { connected, kept }: { connected: boolean; kept: boolean }): void {
    this.known = withRecord(this.known, this.record.sequence)
    if (connected && this.known.told > 0) this.known = withEnd(this.known, this.stream.length)
    const before = this.record
    if (!this.wentBack()) {
      const end = Math.min(before.position + most, newest)
      for (let position = before.position + 1; position <= end; position++) this.publish(position)
      if (!this.wentBack() && end > before.position)
        this.record = { position: end, sequence: this.known.told }
    }
    if (!kept) this.record = before
  }

  private publish(position: number): void {
    const held = this.stream.indexOf(position)
    if (held === -1) this.stream.push(position)
    const sequence = held === -1 ? this.stream.length : held + 1
    this.known = withAnswer(this.known, { sequence, duplicate: held !== -1 })
  }

  private wentBack(): boolean {
    const { fallenTo } = this.known
    if (fallenTo === null) return false
    const position = positionBefore(this.stream[fallenTo - 1] ?? null, most)
    this.record = { position: Math.min(this.record.position, position), sequence: fallenTo }
    return true
  }

  isDone(newest: number): boolean {
    return this.record.position === newest && this.known.fallenTo === null
  }
}

const anyStep = fc.oneof(
  fc.record({ do: fc.constant('commit' as const), events: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('round' as const), connected: fc.boolean(), kept: fc.boolean() }),
  fc.record({ do: fc.constant('fall' as const), messages: fc.integer({ min: 1, max: 8 }) }),
)

test('a stream that forgets, seen at a new connection or at the next answers, holds every event in the end', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), fc.boolean(), (steps, connected) => {
      const publishing = new Publishing()
      let newest = 0
      for (const step of steps) {
        if (step.do === 'commit') newest += step.events
        else if (step.do === 'fall') publishing.stream.splice(-step.messages)
        else publishing.round(newest, step)
      }
      // Without a new connection only the number of a new event can tell of a fall.
      if (!connected) newest += 1
      publishing.round(newest, { connected, kept: true })
      for (let round = 0; round < 40 && !publishing.isDone(newest); round++)
        publishing.round(newest, { connected: false, kept: true })
      const held = [...publishing.stream].sort((one, other) => one - other)
      expect(held).toEqual(Array.from({ length: newest }, (_, index) => index + 1))
    }),
    { numRuns: 5_000 },
  )
})

test('while a stream holds what it told, nothing is judged forgotten, whatever was published twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 50 }),
      fc.integer({ min: 1, max: 20 }),
      (answers, recorded) => {
        let end = recorded
        let known = withEnd(withRecord({ told: 0, fallenTo: null }, recorded), end)
        for (const duplicate of answers) {
          if (!duplicate) end += 1
          known = withAnswer(known, { sequence: duplicate ? Math.max(1, end - 3) : end, duplicate })
        }
        expect(known).toEqual({ told: end, fallenTo: null })
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a fall is remembered until the record says the same, and not held against another stream', () => {
  const fallen: KnownStream = { told: 9, fallenTo: 4 }
  expect(withRecord(fallen, 9)).toEqual({ told: 9, fallenTo: 4 })
  expect(withRecord(fallen, 4)).toEqual({ told: 4, fallenTo: null })
  expect(withRecord(fallen, null)).toEqual({ told: 0, fallenTo: null })
})
