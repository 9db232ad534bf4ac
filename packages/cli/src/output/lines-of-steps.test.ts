import type { LogChunk } from '@hearth/contract'
import { expect, test } from 'vitest'
import { LinesOfSteps } from './lines-of-steps.ts'

const chunk = (step: string, text: string, end = false): LogChunk => ({
  environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  step,
  offset: 0,
  text,
  end,
  time: '2026-11-20T18:07:00.000Z',
})

test('steps that print at once do not mix within a line', () => {
  const lines = new LinesOfSteps(true)
  const shown = [
    chunk('clone_repo.a', 'Clon'),
    chunk('clone_repo.b', 'other\n'),
    chunk('clone_repo.a', 'ing\ndone\n'),
  ].map((piece) => lines.add(piece))
  expect(shown.join('')).toBe('clone_repo.b | other\nclone_repo.a | Cloning\nclone_repo.a | done\n')
})

test('empty lines keep their place', () => {
  expect(new LinesOfSteps(true).add(chunk('s', 'a\n\nb\n'))).toBe('s | a\ns | \ns | b\n')
})

test('a last line without a newline is shown when its step or the stream ends', () => {
  const lines = new LinesOfSteps(false)
  expect(lines.add(chunk('s', 'no newline', true))).toBe('no newline\n')
  expect(lines.add(chunk('t', 'cut off'))).toBe('')
  expect(lines.rest()).toBe('cut off\n')
  expect(lines.rest()).toBe('')
})
