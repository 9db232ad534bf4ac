import type { LogChunk } from '@hearth/contract'
import { systemClock } from '@hearth/foundation'
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { LogPublisher, split } from './log-publisher.ts'

const step = { environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', step: 'project_setup' }

function setUp(publishLog: (runnerId: string, chunk: LogChunk) => Promise<void>) {
  const stop = new AbortController()
  return new LogPublisher(
    { publishLog },
    'runner-1',
    step,
    systemClock,
    pino({ enabled: false }),
    stop.signal,
  )
}

test('pieces are whole characters, no larger than requested, and together the whole text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.integer({ min: 4, max: 64 }),
      (text, most) => {
        const pieces = split(text, most)
        expect(pieces.join('')).toBe(text)
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(most)
      },
    ),
  )
})

test('offsets are continuous, bursts are combined, and the last piece is marked', async () => {
  const chunks: LogChunk[] = []
  const publisher = setUp(async (_, chunk) => {
    chunks.push(chunk)
  })
  let offset = 0
  for (const text of ['ü'.repeat(20_000), 'a', 'b'.repeat(40_000)]) {
    publisher.add(text, offset)
    offset += Buffer.byteLength(text)
  }
  await publisher.end(offset)
  let next = 0
  for (const chunk of chunks) {
    expect(chunk.offset).toBe(next)
    expect(Buffer.byteLength(chunk.text)).toBeLessThanOrEqual(32 * 1024)
    next += Buffer.byteLength(chunk.text)
  }
  expect(next).toBe(offset)
  expect(chunks.map(({ end }) => end)).toEqual([...Array(chunks.length - 1).fill(false), true])
})

test('a step without output still has an end, and a piece that is not stored is sent again', async () => {
  const tried: LogChunk[] = []
  const publisher = setUp(async (_, chunk) => {
    tried.push(chunk)
    if (tried.length === 1) throw new Error('no answer')
  })
  await publisher.end(0)
  expect(tried.map(({ text, end, offset }) => ({ text, end, offset }))).toEqual([
    { text: '', end: true, offset: 0 },
    { text: '', end: true, offset: 0 },
  ])
})
