import type { Failure } from '@hearth/contract'
import { describe, expect, test } from 'vitest'
import { countBoots, type OtherBoot, type PrebuiltBoot } from './boots.decide.ts'

const now = new Date('2026-01-01T12:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const failure = (code: Failure['code'], step?: Failure['step']): Failure => ({
  code,
  message: '',
  ...(step === undefined ? {} : { step }),
})
const boot = (change: Partial<PrebuiltBoot>): PrebuiltBoot => ({
  ...{ isReady: false, startedFrom: null, failure: null, endedAt: minutesAgo(10), othersSince: [] },
  ...change,
})
const failed = (why: Failure, othersSince: OtherBoot[] = []) => boot({ failure: why, othersSince })
const other = (isReady: boolean, minutes = 5): OtherBoot => ({ isReady, endedAt: minutesAgo(minutes) })

const ready = boot({ isReady: true, startedFrom: { from: 'disk' } })
const fromImage = boot({ isReady: true, startedFrom: { from: 'image' } })
const unanswered = failure('guest_unreachable', 'own_identity')
const silent = failed(unanswered)
/** Where others have come up since. */
const silentAmongOthers = failed(failure('guest_unreachable', 'ensure_server'), [other(true)])
const damaged = failed(failure('layer_damaged', 'create_vm'))
const another = failed(failure('identity_mismatch', 'own_identity'))
const foreign = [
  failed(failure('command_failed', 'warm_pool_setup')),
  failed(failure('host_refused', 'create_vm')),
  failed(failure('runner_lost')),
]

test.each<[string, PrebuiltBoot[], number, number]>([
  ['nothing has started from it', [], 0, 0],
  ['the last started', [ready, damaged, silentAmongOthers], 2, 0],
  ['two in a row did not, after one that did', [silentAmongOthers, damaged, ready, damaged], 0, 2],
  ['a runner took the image instead', [fromImage, another], 0, 2],
  ['others failed for another reason', [...foreign, another], 0, 1],
  ['others failed for another reason after one that started', [...foreign, ready], 1, 0],
  ['the machines are not on record any more', [], 3, 3],
  ['and there is one more', [damaged], 2, 2],
])('where %s', (_, newestFirst, counted, expected) => {
  const count = countBoots(newestFirst, { failed: counted, unexplained: 0 }, now)
  expect(count).toEqual({ failed: expected, unexplained: 0 })
})

describe('a guest that did not answer', () => {
  const nothing = { failed: 0, unexplained: 0 }
  const judged = (...othersSince: OtherBoot[]) => countBoots([failed(unanswered, othersSince)], nothing, now)

  test('speaks against the prebuild where the next machine of its host came up', () => {
    expect(judged(other(true, 9), other(false, 1))).toEqual({ failed: 1, unexplained: 0 })
  })

  test('does not where the host is at fault, or may be: until something comes up there it is not known', () => {
    expect(judged()).toEqual({ failed: 0, unexplained: 1 })
    expect(judged(other(false))).toEqual({ failed: 0, unexplained: 1 })
    expect(judged(other(false, 9), other(true, 1))).toEqual(nothing)
  })

  test('says nothing any more after an hour in which nothing was learnt', () => {
    const before = boot({ failure: unanswered, endedAt: minutesAgo(60) })
    expect(countBoots([before], nothing, now)).toEqual(nothing)
    const late = boot({ ...before, endedAt: minutesAgo(120), othersSince: [other(true, 30)] })
    expect(countBoots([late], nothing, now)).toEqual(nothing)
  })

  test('counts only since the last machine that started', () => {
    expect(countBoots([silent, silent, damaged, ready, silent], nothing, now)).toEqual({
      failed: 1,
      unexplained: 2,
    })
  })
})
