import { journalLimits } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Journal } from './journal.ts'

const plain = (text: string) => text
const read = (pieces: readonly Buffer[], journal = new Journal(3, '@status ', plain)) => {
  let offset = 0
  const news = pieces.map((piece) => {
    const isNews = journal.add(offset, piece)
    offset += piece.length
    return isNews
  })
  return { lines: journal.lines, news }
}

test('lines with the prefix are told, known by their place; others, and what has not ended, are not', () => {
  const { lines, news } = read([Buffer.from('begins\n@status one\n @status no\n@status two\n@status thr')])
  expect(lines).toEqual([
    { run: 3, offset: 7, text: 'one' },
    { run: 3, offset: 31, text: 'two' },
  ])
  expect(news).toEqual([true])
})

test('however the output is cut into pieces, the lines are the same', () => {
  const line = fc.oneof(
    fc.constant('@status ü'),
    fc.constant('@status'),
    fc.string({ maxLength: 12 }),
    fc.constant(''),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(20), { maxLength: 30 }), (texts, cuts) => {
      const whole = Buffer.from(texts.map((text) => `${text}\n`).join(''))
      const pieces: Buffer[] = []
      let at = 0
      for (const size of cuts) {
        pieces.push(whole.subarray(at, at + size))
        at += Math.min(size, whole.length - at)
      }
      pieces.push(whole.subarray(at))
      expect(read(pieces).lines).toEqual(read([whole]).lines)
    }),
  )
})

test('a line that is too long is left out, and keeps no memory; the newest are kept', () => {
  const long = `@status ${'x'.repeat(journalLimits.lineBytes + 1)}\n`
  const most = `@status ${'x'.repeat(journalLimits.lineBytes)}\n`
  expect(read([Buffer.from(long), Buffer.from(most)]).lines).toHaveLength(1)
  const many = Array.from({ length: 100 }, (_, index) => Buffer.from(`@status ${index}\n`))
  const { lines } = read(many)
  expect(lines.map(({ text }) => text)).toEqual(
    Array.from({ length: journalLimits.lines }, (_, index) => `${index + 100 - journalLimits.lines}`),
  )
})

test('what follows a gap of the output is no line before the next one begins', () => {
  const journal = new Journal(1, '@status ', plain)
  journal.add(0, Buffer.from('@status be'))
  expect(journal.add(100, Buffer.from('fore\n@status after\n'))).toBe(true)
  expect(journal.lines).toEqual([{ run: 1, offset: 105, text: 'after' }])
})

test('secrets are masked in it', () => {
  const journal = new Journal(1, '@', (text) => text.replaceAll('hunter2', '***'))
  journal.add(0, Buffer.from('@it is hunter2\n'))
  expect(journal.lines[0]?.text).toBe('it is ***')
})
