import {
  pipelinePrograms,
  pipelineResources,
  pipelineResourcesTable,
  pipelineRuntimes,
  pipelineRuntimesDesired,
  pipelineStorages,
  pipelineStorageTable,
  volumePhases,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type PipelineAction, type SeenPipeline } from './decide.ts'
import type { SeenService } from './seen.decide.ts'
import { anyMachine, anyTime, now } from './seen.fixture.ts'

const volume = fc.record({
  name: fc.constant('volume'),
  phase: fc.constantFrom(...volumePhases),
  isGoing: fc.boolean(),
  isLost: fc.boolean(),
  failure: fc.constant(null),
  isMounted: fc.option(fc.boolean()),
  hindrance: fc.option(fc.constant('a copy')),
})
const service: fc.Arbitrary<SeenService> = fc.oneof(
  fc.constantFrom<SeenService>(
    { state: 'absent' },
    { state: 'running' },
    { state: 'working', waitsFor: null },
  ),
  fc.record({
    state: fc.constant('ended' as const),
    exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
    message: fc.constant('ended'),
    lastLines: fc.constant([]),
  }),
)
const seenPipeline: fc.Arbitrary<SeenPipeline> = fc.record({
  resources: fc.constantFrom(...pipelineResources),
  desired: fc.constantFrom('stopped', 'provisioned'),
  runtime: fc.option(fc.constantFrom(...pipelineRuntimes)),
  runtimeDetails: fc.option(fc.constant({ reason: 'x' })),
  desiredRuntime: fc.option(fc.constantFrom(...pipelineRuntimesDesired)),
  program: fc.constantFrom(...pipelinePrograms),
  storage: fc.constantFrom(...pipelineStorages),
  deadline: fc.option(anyTime),
  provisioningSeconds: fc.constant(60),
  since: anyTime,
  machine: fc.option(anyMachine),
  volume: fc.option(volume),
  copy: fc.constantFrom(
    { state: 'present' as const },
    { state: 'absent' as const },
    { state: 'coming' as const },
  ),
  service,
  told: fc.option(fc.record({ runtime: fc.constantFrom(...pipelineRuntimes), details: fc.constant(null) })),
  isWishTold: fc.boolean(),
  waitsFor: fc.constant(null),
})

/** The statuses to which an action leads. */
function after(seen: SeenPipeline, action: PipelineAction): Pick<SeenPipeline, 'resources' | 'storage'> {
  const { resources, storage } = seen
  switch (action.do) {
    case 'provision':
      return { resources: 'provisioning', storage: 'in_use' }
    case 'be-provisioned':
      return { resources: 'provisioned', storage }
    case 'stop':
      return { resources: 'stopping', storage }
    case 'be-stopped':
      return { resources: 'stopped', storage }
    case 'storage-is-cleared':
      return { resources, storage: 'cleared' }
    default:
      return { resources, storage }
  }
}

test('whatever is seen leads along the tables, and storage moves only while there is no machine', () => {
  fc.assert(
    fc.property(seenPipeline, (seen) => {
      const action = decide(seen, now)
      if (action === null) return
      const next = after(seen, action)
      if (next.resources !== seen.resources)
        expect(pipelineResourcesTable[seen.resources]).toContain(next.resources)
      if (next.storage === seen.storage) return
      expect(seen.resources).toBe('stopped')
      // A start is refused while it is cleared.
      expect(pipelineStorageTable[seen.storage]).toContain(next.storage)
    }),
  )
})

test('one that nobody wants, or whose time is over, is never kept', () => {
  fc.assert(
    fc.property(seenPipeline, (seen) => {
      const action = decide(seen, now)
      const isOver = seen.resources === 'provisioning' && seen.deadline !== null && seen.deadline <= now
      const isUnwanted = seen.desired === 'stopped'
      if (seen.resources === 'provisioning' && (isOver || isUnwanted)) expect(action?.do).toBe('stop')
      if (seen.resources === 'provisioned' && isUnwanted) expect(action?.do).toBe('stop')
    }),
  )
})

test('nothing runs without its volume, and no machine is made beside another', () => {
  fc.assert(
    fc.property(seenPipeline, (seen) => {
      const action = decide(seen, now)
      if (action?.do === 'run') expect(seen.volume?.isMounted).toBe(true)
      if (action?.do === 'make-machine' || action?.do === 'be-stopped')
        expect(seen.machine === null || seen.machine.phase === 'deleted').toBe(true)
    }),
  )
})
