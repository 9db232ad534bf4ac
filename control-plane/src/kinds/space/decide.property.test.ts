import { processPhases, spacePhaseSchema } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type SeenProcess, type SeenSpace, type SpaceAction } from './decide.ts'

const failure = { code: 'command_failed', message: 'it failed' } as const
const process: fc.Arbitrary<SeenProcess> = fc.record({
  id: fc.uuid(),
  name: fc.constant('app-uat-web-1-aaaa'),
  kind: fc.constantFrom('task', 'service'),
  role: fc.constantFrom('web', 'clock'),
  deploymentId: fc.constantFrom('d0', 'd1', 'd2'),
  phase: fc.constantFrom(...processPhases),
  desired: fc.constantFrom('run', 'stop', 'delete'),
  waitsFor: fc.option(fc.constant('environment shop-1 to run')),
  failure: fc.option(fc.constant(failure)),
})
const task = fc.record({ id: fc.constant('c1'), isAsWanted: fc.boolean(), isGoing: fc.boolean() })
const space: fc.Arbitrary<SeenSpace> = fc.record({
  phase: fc.constantFrom(...spacePhaseSchema.options),
  desired: fc.constantFrom('running', 'stopped', 'delete'),
  waitsFor: fc.option(fc.constant('something')),
  failure: fc.option(fc.constant(failure)),
  app: fc.record({
    name: fc.constant('shop'),
    phase: fc.constantFrom('provisioning', 'ready', 'failed', 'deleting'),
    failure: fc.option(fc.constant(failure)),
  }),
  currentId: fc.option(fc.constantFrom('d0', 'd1')),
  lastId: fc.option(fc.constantFrom('d1', 'd2')),
  underway: fc.option(fc.record({ id: fc.constant('d2'), endedRoles: fc.subarray(['web', 'clock']) })),
  processes: fc.array(process, { maxLength: 4 }),
  cronJobs: fc.array(
    fc.record({ name: fc.constant('nightly'), isWanted: fc.boolean(), task: fc.option(task) }),
    { maxLength: 1 },
  ),
  tidying: fc.record({
    isDone: fc.boolean(),
    task: fc.option(fc.record({ id: fc.constant('t1'), isOver: fc.boolean(), isGoing: fc.boolean() })),
  }),
})

/** As `settle.ts` carries it out, before the runner says anything. */
function after(seen: SeenSpace, action: SpaceAction): SeenSpace {
  const change = (processId: string, changed: Partial<SeenProcess>): SeenSpace => ({
    ...seen,
    processes: seen.processes.map((one) => (one.id === processId ? { ...one, ...changed } : one)),
    cronJobs: seen.cronJobs.map((job) =>
      job.task?.id === processId ? { ...job, task: { ...job.task, isGoing: true } } : job,
    ),
    tidying:
      seen.tidying.task?.id === processId
        ? { ...seen.tidying, task: { ...seen.tidying.task, isGoing: true } }
        : seen.tidying,
  })
  switch (action.do) {
    case 'remove':
      return change(action.processId, { desired: 'delete' })
    case 'end':
      return change(action.processId, { desired: 'stop' })
    case 'start':
      return change(action.processId, { desired: 'run', phase: 'pending' })
    case 'make-cron-job':
      return {
        ...seen,
        cronJobs: seen.cronJobs.map((job) => ({
          ...job,
          task: { id: 'c2', isAsWanted: true, isGoing: false },
        })),
      }
    case 'tidy':
      return { ...seen, tidying: { ...seen.tidying, task: { id: 't1', isOver: false, isGoing: false } } }
    case 'note-tidied':
      return { ...seen, tidying: { ...seen.tidying, isDone: true } }
    case 'stand':
      return { ...seen, phase: action.phase, waitsFor: action.waitsFor, failure: action.failure }
  }
}

test('from every state of a space a few decisions lead to one in which nothing follows, and no process of another release is left', () => {
  fc.assert(
    fc.property(space, (first) => {
      let current = first
      for (let steps = 0; steps < 32; steps += 1) {
        const action = decide(current)
        if (action === null) {
          if (current.desired === 'delete') return
          const stray = current.processes.filter(
            ({ kind, deploymentId, desired }) =>
              kind === 'service' &&
              desired !== 'delete' &&
              deploymentId !== current.currentId &&
              deploymentId !== current.underway?.id,
          )
          expect(stray).toEqual([])
          return
        }
        current = after(current, action)
      }
      throw new Error(`it does not settle: ${JSON.stringify(current)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('what the deployment that is underway keeps is that one’s alone, and a process is started again only where no other is', () => {
  fc.assert(
    fc.property(space, (seen) => {
      const action = decide(seen)
      if (action === null || !('processId' in action)) return
      const process = seen.processes.find(({ id }) => id === action.processId)
      if (process === undefined) return
      expect(process.deploymentId).not.toBe(seen.underway?.id)
      if (action.do === 'start')
        expect(
          seen.processes.filter(
            ({ kind, role, deploymentId }) =>
              kind === 'service' && role === process.role && deploymentId !== process.deploymentId,
          ),
        ).toEqual([])
    }),
    { numRuns: 5_000 },
  )
})
