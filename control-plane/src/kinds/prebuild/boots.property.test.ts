import type { Failure } from '@hearth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countBoots, type PrebuiltBoot } from './boots.decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const unanswered: Failure = { code: 'guest_unreachable', message: '', step: 'own_identity' }
const damaged: Failure = { code: 'layer_damaged', message: '', step: 'create_vm' }
const nothing = { failed: 0, unexplained: 0 }

const silentAt = (ago: number, othersSince: PrebuiltBoot['othersSince']): PrebuiltBoot => ({
  ...{ isReady: false, startedFrom: null, failure: unanswered, endedAt: minutesAgo(ago) },
  othersSince,
})
const anyBoot: fc.Arbitrary<PrebuiltBoot> = fc.record({
  isReady: fc.boolean(),
  startedFrom: fc.constantFrom(null, { from: 'disk' as const }, { from: 'image' as const }),
  failure: fc.constantFrom(null, unanswered, damaged),
  endedAt: fc.nat(180).map(minutesAgo),
  othersSince: fc.array(fc.record({ isReady: fc.boolean(), endedAt: fc.nat(180).map(minutesAgo) }), {
    maxLength: 4,
  }),
})

test('a host on which nothing comes up never counts against a prebuild, however often it is tried there', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(59), { maxLength: 10 }), fc.array(fc.nat(59)), (tries, others) => {
      const newestFirst = [...tries]
        .sort((one, two) => one - two)
        .map((ago) => {
          const since = others.filter((at) => at < ago).sort((one, two) => two - one)
          return silentAt(
            ago,
            since.map((at) => ({ isReady: false, endedAt: minutesAgo(at) })),
          )
        })
      expect(countBoots(newestFirst, nothing, now)).toEqual({ failed: 0, unexplained: tries.length })
    }),
  )
})

test('no boot counts twice, one that started ends the row, and counting again changes nothing', () => {
  fc.assert(
    fc.property(fc.array(anyBoot, { maxLength: 10 }), fc.nat(5), (newestFirst, written) => {
      const count = countBoots(newestFirst, { failed: written, unexplained: 0 }, now)
      expect(count.failed + count.unexplained).toBeLessThanOrEqual(written + newestFirst.length)
      expect(countBoots(newestFirst, count, now)).toEqual(count)
      const started = { ...silentAt(0, []), isReady: true }
      expect(countBoots([started, ...newestFirst], count, now)).toEqual(nothing)
    }),
  )
})
