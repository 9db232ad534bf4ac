import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundedLine, boundedText, countSchema, endOfText, positiveSchema, startOfText } from './bounded.ts'

const isTaken = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success

test('numbers stay within their column', () => {
  expect(isTaken(countSchema, 2_147_483_647)).toBe(true)
  for (const wrong of [-1, 2_147_483_648, 3_000_000_000, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1'])
    expect(isTaken(countSchema, wrong)).toBe(false)
  expect(isTaken(positiveSchema, 0)).toBe(false)
})

test('a text is limited in bytes, not in characters', () => {
  expect(isTaken(boundedText(4), '😀')).toBe(true)
  expect(isTaken(boundedText(4), '😀a')).toBe(false)
  expect(isTaken(boundedText(4), 'ääa')).toBe(false)
  expect(isTaken(boundedText(4, 1), '')).toBe(false)
})

test('text that PostgreSQL cannot store is refused', () => {
  for (const wrong of ['a\0b', '\ud83d', 'x\ude00']) expect(isTaken(boundedText(100), wrong)).toBe(false)
})

test('a line has no control character', () => {
  expect(isTaken(boundedLine(100), 'web-1.example')).toBe(true)
  for (const wrong of ['a\nb', 'a\rb', '\u001b[2J', 'a\u009bb', 'a\u2028b', '\u202eabc'])
    expect(isTaken(boundedLine(100), wrong)).toBe(false)
})

test('a text is cut between characters and keeps as much as fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, most) => {
      const start = startOfText(text, most)
      const end = endOfText(text, most)
      for (const part of [start, end]) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(most)
        expect(part.isWellFormed()).toBe(true)
        if (!text.includes('\ufffd')) expect(part).not.toContain('\ufffd')
        expect(Buffer.byteLength(part)).toBeGreaterThan(Math.min(most, Buffer.byteLength(text)) - 4)
      }
      expect(text.startsWith(start)).toBe(true)
      expect(text.endsWith(end)).toBe(true)
    }),
  )
})
