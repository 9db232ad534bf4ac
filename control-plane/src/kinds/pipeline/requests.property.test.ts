import {
  pipelinePrograms,
  pipelineResources,
  pipelineRuntimeDesiredTable,
  pipelineRuntimes,
  pipelineRuntimesDesired,
  pipelineStorages,
  pipelineStorageTable,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JudgedPipeline, judge, type PipelineRequest } from './requests.decide.ts'

const initial = fc.constantFrom('running', 'paused', 'standby')
const policy = fc.constantFrom('await_approval', 'allow', 'reject')
const pipeline: fc.Arbitrary<JudgedPipeline> = fc.record({
  resources: fc.constantFrom(...pipelineResources),
  desired: fc.constantFrom('stopped', 'provisioned'),
  runtime: fc.option(fc.constantFrom(...pipelineRuntimes)),
  desiredRuntime: fc.option(fc.constantFrom(...pipelineRuntimesDesired)),
  program: fc.constantFrom(...pipelinePrograms),
  storage: fc.constantFrom(...pipelineStorages),
  hasError: fc.boolean(),
  initial: fc.option(initial),
  bootstrapPolicy: fc.option(policy),
  takesStandby: fc.boolean(),
})
const bootstrap = { silentBootstrap: fc.boolean(), concurrentBootstrap: fc.boolean() }
const request: fc.Arbitrary<PipelineRequest> = fc.oneof(
  fc.record({
    do: fc.constant('start' as const),
    initial,
    bootstrapPolicy: policy,
    dismissError: fc.boolean(),
    ...bootstrap,
  }),
  fc.record({ do: fc.constant('stop' as const), force: fc.boolean() }),
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'clear' as const) }),
  fc.record({ do: fc.constantFrom('dismiss-error' as const, 'delete' as const, 'compile' as const) }),
  fc.record({ do: fc.constant('activate' as const), initial: fc.constantFrom('running', 'paused') }),
  fc.record({ do: fc.constant('approve' as const), ...bootstrap }),
  fc.record({ do: fc.constant('edit' as const), storageBound: fc.array(fc.string()) }),
)
/** As it is once the changes are written. */
function changed(before: JudgedPipeline, wish: PipelineRequest): JudgedPipeline | null {
  const judgement = judge(before, wish)
  if ('refusal' in judgement) return null
  const { desired, desiredRuntime, start, storage, program, isErrorDismissed } = judgement.changes
  return {
    ...before,
    ...(desired === undefined ? {} : { desired }),
    ...(desiredRuntime === undefined ? {} : { desiredRuntime }),
    ...(start === undefined ? {} : { initial: start.initial, bootstrapPolicy: start.bootstrapPolicy }),
    ...(storage === undefined ? {} : { storage }),
    ...(program === undefined ? {} : { program }),
    ...(isErrorDismissed === true ? { hasError: false } : {}),
  }
}

test('what changes is always an allowed move, and only a start ever wants a machine', () => {
  fc.assert(
    fc.property(pipeline, request, (before, wish) => {
      const after = changed(before, wish)
      if (after === null) return
      if (after.desiredRuntime !== before.desiredRuntime) {
        const from = before.desiredRuntime
        expect(from).not.toBeNull()
        if (from !== null && after.desiredRuntime !== null)
          expect(pipelineRuntimeDesiredTable[from]).toContain(after.desiredRuntime)
      }
      if (after.storage !== before.storage)
        expect(pipelineStorageTable[before.storage]).toContain(after.storage)
      if (after.desired === 'provisioned' && before.desired === 'stopped') {
        expect(wish.do).toBe('start')
        expect(before.resources).toBe('stopped')
        expect(after.hasError).toBe(false)
        expect(after.storage).not.toBe('clearing')
      }
      if (after.storage === 'clearing' && before.storage !== 'clearing')
        expect([before.resources, before.desired]).toEqual(['stopped', 'stopped'])
    }),
  )
})

test('the same request again, before anything else happened, is a success that changes nothing, or a refusal', () => {
  fc.assert(
    fc.property(pipeline, request, (before, wish) => {
      if (wish.do === 'approve') return // approved once more until the program has taken it
      const after = changed(before, wish)
      if (after === null) return
      expect(changed(after, wish)).toEqual(after)
    }),
  )
})

test('a stop by force is never refused, and leads to nothing being wanted', () => {
  fc.assert(
    fc.property(pipeline, (before) => {
      expect(changed(before, { do: 'stop', force: true })?.desired).toBe('stopped')
    }),
  )
})
