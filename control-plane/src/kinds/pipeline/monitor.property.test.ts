import {
  pipelineEventLimits,
  pipelinePrograms,
  pipelineResources,
  pipelineRuntimes,
  pipelineStorages,
} from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideMonitor, type Monitored } from './monitor.decide.ts'

const monitored: fc.Arbitrary<Monitored> = fc.record({
  statuses: fc.record({
    resourcesStatus: fc.constantFrom(...pipelineResources),
    resourcesDesiredStatus: fc.constantFrom('stopped' as const, 'provisioned' as const),
    runtimeStatus: fc.option(fc.constantFrom(...pipelineRuntimes)),
    runtimeDesiredStatus: fc.option(fc.constantFrom('paused' as const, 'running' as const)),
    hasError: fc.boolean(),
    programStatus: fc.constantFrom(...pipelinePrograms),
    storageStatus: fc.constantFrom(...pipelineStorages),
  }),
  details: fc.record({
    error: fc.constant(null),
    resourcesDetails: fc.option(fc.constantFrom('a', 'b')),
    runtimeDetails: fc.option(fc.constantFrom('a', 'b')),
    storageDetails: fc.constant(null),
  }),
})
const step = fc.tuple(fc.integer({ min: 0, max: 700_000 }), fc.option(monitored))

test('in any history every status is in an event, none is skipped, and details are late by ten seconds at most', () => {
  fc.assert(
    fc.property(monitored, fc.array(step, { maxLength: 40 }), (first, steps) => {
      let present = first
      let at = Date.parse('2026-01-01T00:00:00Z')
      let newest: (Monitored & { at: Date }) | null = null
      const seen: unknown[] = []
      for (const [milliseconds, change] of [[0, first] as const, ...steps]) {
        at += milliseconds
        const before = present.statuses
        present = change ?? present
        const now = new Date(at)
        const silent = newest === null ? 0 : at - newest.at.getTime()
        const decision = decideMonitor(newest, present, now)
        if (newest === null || JSON.stringify(before) !== JSON.stringify(present.statuses))
          expect(decision).toBe('record')
        if (silent >= pipelineEventLimits.silenceSeconds * 1000) expect(decision).toBe('record')
        if (silent >= pipelineEventLimits.detailsSeconds * 1000) expect(decision).not.toBe('later')
        if (decision === 'record') {
          newest = { ...present, at: now }
          seen.push(present.statuses)
        }
        // What is shown of the statuses is how they are.
        expect(newest?.statuses).toEqual(present.statuses)
        if (decision !== 'later') expect(newest?.details).toEqual(present.details)
        // And once it is written, nothing follows.
        if (decision === 'record') expect(decideMonitor(newest, present, now)).toBe('nothing')
      }
      expect(seen.length).toBeGreaterThan(0)
    }),
  )
})
