import type { LogChunk } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newPart } from './new-part.ts'

const chunk = (offset: number, text: string, end = false): LogChunk => ({
  environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  step: 'project_setup',
  offset,
  text,
  end,
  time: '2026-11-20T18:07:00.000Z',
})

test('a repeated piece is dropped, an overlapping one is cut', () => {
  const seen = new Map<string, number>()
  expect(newPart(chunk(0, 'hello '), seen)?.text).toBe('hello ')
  expect(newPart(chunk(0, 'hello '), seen)).toBeNull()
  expect(newPart(chunk(3, 'lo world'), seen)).toMatchObject({ offset: 6, text: 'world' })
})

test('the end of a step passes once, even without text', () => {
  const seen = new Map<string, number>()
  newPart(chunk(0, 'done'), seen)
  expect(newPart(chunk(4, '', true), seen)).toMatchObject({ end: true, text: '' })
  expect(newPart(chunk(4, '', true), seen)).toBeNull()
})

test('whatever is repeated, the output is the text once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
      fc.array(fc.nat()),
      (texts, again) => {
        let offset = 0
        const pieces = texts.map((text) => {
          const piece = chunk(offset, text)
          offset += Buffer.byteLength(text)
          return piece
        })
        // After each piece an earlier one is repeated, as after a reconnect.
        const sent = pieces.flatMap((piece, index) => {
          const earlier = pieces[(again[index] ?? 0) % (index + 1)]
          return earlier === undefined ? [piece] : [piece, earlier]
        })
        const seen = new Map<string, number>()
        const shown = sent.map((piece) => newPart(piece, seen)?.text ?? '').join('')
        expect(shown).toBe(texts.join(''))
      },
    ),
  )
})
