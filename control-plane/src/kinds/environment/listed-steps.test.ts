import type { StepStatus } from '@hearth/contract'
import { expect, test } from 'vitest'
import { listedSteps } from './listed-steps.ts'

const step = (changes: Partial<StepStatus>): StepStatus => ({
  name: 'repo_setup',
  repository: null,
  phase: 'succeeded',
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: 0,
  output: '',
  outputBytes: 0,
  error: null,
  ...changes,
})

test('a long output is cut to its end, between characters, and its full size in bytes is shown', () => {
  const output = `beginning${'ä'.repeat(2_000)}end`
  const [listed] = listedSteps([step({ output, outputBytes: 9_999 })])
  expect(Buffer.byteLength(listed?.output ?? '')).toBeLessThanOrEqual(1024)
  expect(listed?.output).toMatch(/^ä+end$/)
  expect(listed?.outputBytes).toBe(9_999)
})

test('what is short stays whole, and in order', () => {
  const steps = [
    step({ output: 'one\n' }),
    step({ output: 'two\n', phase: 'failed', error: 'exited with 1' }),
  ]
  expect(listedSteps(steps)).toEqual(steps)
})

test('many steps have at most 16 KiB of output together, kept for the latest steps', () => {
  const steps = Array.from({ length: 256 }, () => step({ output: 'x'.repeat(4096), error: 'y'.repeat(4096) }))
  const listed = listedSteps(steps)
  expect(listed.map(({ output, error }) => output + error).join('')).toHaveLength(16 * 1024)
  expect(listed.at(-1)).toMatchObject({ output: 'x'.repeat(1024), error: 'y'.repeat(1024) })
  expect(listed[0]).toMatchObject({ output: '', error: '' })
})
