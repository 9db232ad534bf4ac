import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StepEvent } from '../guest.ts'
import { StepStream } from './step-stream.ts'

const delimiter = 'aab'
const ending = 'started 1.5\nfinished 2.5\nexit 0\n\n'

function joined(events: readonly StepEvent[]): { output: string[]; outcomes: string[] } {
  const output: string[] = []
  const outcomes: string[] = []
  for (const event of events) {
    if (event.kind === 'output')
      output[event.index] = (output[event.index] ?? '') + event.chunk.toString('latin1')
    else outcomes[event.index] = event.outcome.kind
  }
  return { output, outcomes }
}

test('however the stream is cut, each step gets its own output and outcome', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'aa', '.\n', 'ü', 'aab '), { maxLength: 8 })
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (texts, cuts) => {
        const printed = texts.map((parts) => parts.join(''))
        const whole = Buffer.from(printed.map((output) => `${output}${delimiter}\n${ending}`).join(''))
        const stream = new StepStream(delimiter, 0)
        const events: StepEvent[] = []
        for (let at = 0, turn = 0; at < whole.length; turn += 1) {
          const length = cuts[turn % cuts.length] ?? 1
          events.push(...stream.push(whole.subarray(at, at + length)))
          at += length
        }
        const { output, outcomes } = joined(events)
        expect(printed.map((_, index) => output[index] ?? '')).toEqual(
          printed.map((text) => Buffer.from(text).toString('latin1')),
        )
        expect(outcomes).toEqual(printed.map(() => 'succeeded'))
      },
    ),
  )
})

test('output is given as it comes, before the step has ended', () => {
  const stream = new StepStream(delimiter, 2)
  expect(stream.push(Buffer.from('hello a'))).toEqual([
    { kind: 'output', index: 2, chunk: Buffer.from('hello ') },
  ])
})

test('a step without outcome is lost', () => {
  const stream = new StepStream(delimiter, 0)
  expect(stream.push(Buffer.from(`${delimiter}\n\n`))).toEqual([
    { kind: 'outcome', index: 0, outcome: { kind: 'lost', reason: 'cut_short' } },
  ])
})

test('an incomplete outcome is refused', () => {
  const stream = new StepStream(delimiter, 0)
  stream.push(Buffer.from(`${delimiter}\n`))
  expect(() => stream.push(Buffer.alloc(5_000, 'x'))).toThrow('more than 4096 bytes to how a step ended')
})
