import { pipelinePrograms, pipelineProgramTable } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideCompile, type SeenCompile } from './compile.decide.ts'
import type { SeenTask } from './seen.decide.ts'
import { anyMachine, anyTime, now } from './seen.fixture.ts'

const task = fc.constantFrom<SeenTask>(
  { state: 'none' },
  { state: 'absent' },
  { state: 'working' },
  { state: 'done', output: '', messages: [] },
  { state: 'faulty', exitCode: 1, output: 'bad', messages: [] },
  { state: 'failed', message: 'no' },
)
const seenCompile: fc.Arbitrary<SeenCompile> = fc.record({
  program: fc.constantFrom(...pipelinePrograms),
  deadline: fc.option(anyTime),
  machine: fc.option(anyMachine),
  check: task,
  build: task,
  snapshot: fc.option(
    fc.record({
      name: fc.constant('snapshot'),
      state: fc.constantFrom('making', 'ready', 'lost'),
      failure: fc.constant(null),
    }),
  ),
  waitsFor: fc.constant(null),
})

test('whatever is seen leads along the table, and only what is built and kept is compiled', () => {
  fc.assert(
    fc.property(seenCompile, (seen) => {
      const action = decideCompile(seen, now)
      if (action?.do === 'compile-again') expect(pipelineProgramTable[seen.program]).toContain('pending')
      if (action?.do !== 'move') return
      expect(pipelineProgramTable[seen.program]).toContain(action.to)
      if (action.to === 'success') expect(seen.snapshot?.state).toBe('ready')
    }),
  )
})

test('what is compiled too long ends, and nothing runs in a machine that does not', () => {
  fc.assert(
    fc.property(seenCompile, (seen) => {
      const action = decideCompile(seen, now)
      const isOver = seen.deadline !== null && seen.deadline <= now
      const isCompiled = ['success', 'check_error', 'build_error', 'system_error'].includes(seen.program)
      if (isOver && !isCompiled) expect(action?.do).toBe('move')
      if (action?.do === 'run' || action?.do === 'freeze')
        expect(['deleted', 'deleting', 'failed', undefined]).not.toContain(seen.machine?.phase)
    }),
  )
})
