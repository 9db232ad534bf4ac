import type { StepStatus } from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { ReadSteps } from './read-steps.ts'

const step = (change: Partial<StepStatus>): StepStatus => ({
  name: 'project_setup',
  repository: null,
  phase: 'succeeded',
  startedAt: null,
  finishedAt: null,
  durationMilliseconds: null,
  exitCode: 0,
  output: '',
  outputBytes: 0,
  error: null,
  ...change,
})
const piece = (offset: number, text: string, end = false) => ({ step: 'project_setup', offset, text, end })
const printed = step({ outputBytes: 6 })

describe('of a step that is over', () => {
  test('everything has been read after its last piece', () => {
    const read = new ReadSteps()
    expect(read.hasAllOf([printed])).toBe(false)
    read.note(piece(0, 'äb'))
    expect(read.hasAllOf([printed])).toBe(false)
    read.note(piece(3, 'cde', true))
    expect(read.hasAllOf([printed])).toBe(true)
  })

  test('the end of an earlier try is not its end', () => {
    const read = new ReadSteps()
    read.note(piece(0, 'longer than that', true))
    expect(read.hasAllOf([printed])).toBe(false)
    read.note(piece(0, 'abc'))
    read.note(piece(3, 'cde', true))
    expect(read.hasAllOf([printed])).toBe(true)
  })

  test('the end of each repository’s own step is waited for', () => {
    const read = new ReadSteps()
    const clones = ['shop', 'docs'].map((repository) =>
      step({ name: 'clone_repo', repository, outputBytes: 3 }),
    )
    read.note({ ...piece(0, 'abc', true), step: 'clone_repo.shop' })
    expect(read.hasAllOf(clones)).toBe(false)
    read.note({ ...piece(0, 'abc', true), step: 'clone_repo.docs' })
    expect(read.hasAllOf(clones)).toBe(true)
  })
})

test('of a step that was left running, everything it is known to have printed has been read', () => {
  const read = new ReadSteps()
  const left = step({ phase: 'running', outputBytes: 3 })
  read.note(piece(0, 'ab'))
  expect(read.hasAllOf([left])).toBe(false)
  read.note(piece(2, 'cd'))
  expect(read.hasAllOf([left])).toBe(true)
})

test('steps without output, or with output in their status only, are not waited for', () => {
  const steps = [step({}), step({ name: 'ensure_server', outputBytes: 40 }), step({ phase: 'pending' })]
  expect(new ReadSteps().hasAllOf(steps)).toBe(true)
})
