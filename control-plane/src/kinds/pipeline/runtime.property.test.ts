import { pipelineRuntimes } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { graceSeconds, runtimeShown, toldBy } from './runtime.decide.ts'

test('whatever a program tells can be kept', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (line) => {
      const { runtime, details } = toldBy(line)
      expect(pipelineRuntimes).toContain(runtime)
      expect(JSON.stringify(details)).not.toContain('\\u0000')
    }),
  )
})

test('what is shown was told, but for silence and the first moments, of which it says when they end', () => {
  const since = new Date('2026-11-30T12:00:00Z')
  const told = fc.record({ runtime: fc.constantFrom(...pipelineRuntimes), details: fc.constant(null) })
  fc.assert(
    fc.property(fc.option(told), fc.boolean(), fc.integer({ min: 0, max: 60 }), (said, isSilent, seconds) => {
      const now = new Date(since.getTime() + seconds * 1000)
      const shown = runtimeShown({ told: said, silentRunner: isSilent ? 'rack-1' : null, since }, now)
      if (isSilent) expect(shown.runtime).toBe('unavailable')
      else if (said !== null) expect(shown.runtime).toBe(said.runtime)
      else expect(shown.runtime).toBe(seconds < graceSeconds ? 'initializing' : 'unavailable')
      expect(shown.until === null || shown.until > now).toBe(true)
    }),
  )
})
