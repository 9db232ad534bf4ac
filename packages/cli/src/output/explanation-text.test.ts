import { expect, test } from 'vitest'
import { explanationText } from './explanation-text.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'

test('an explanation is a sentence, its evidence with times, and what comes next', () => {
  const text = explanationText(
    {
      kind: 'WarmPool',
      id,
      name: 'shop-small',
      phase: 'filling',
      sentence: '1 wait for a runner: north lacks the image alpine',
      evidence: [
        { what: '1 pending', at: null },
        { what: 'asked', at: '2026-01-01T00:00:00.000Z' },
        { what: 'its deadline', at: '2026-01-01T01:00:00.000Z' },
      ],
      next: 'it is placed as soon as a runner fits',
    },
    new Date('2026-01-01T00:05:00.000Z'),
  )
  expect(text.split('\n')).toEqual([
    'pool shop-small is filling: 1 wait for a runner: north lacks the image alpine.',
    '',
    '  1 pending',
    '  asked (2026-01-01T00:00:00.000Z, 5m ago)',
    '  its deadline (2026-01-01T01:00:00.000Z)',
    '',
    'Next: it is placed as soon as a runner fits.',
  ])
})

test('an explanation without evidence and next step is one line', () => {
  const gone = { kind: 'Runner' as const, id, name: 'north', phase: 'deleted', sentence: 'it was removed' }
  expect(explanationText({ ...gone, evidence: [], next: null }, new Date())).toBe(
    'runner north is deleted: it was removed.',
  )
})
