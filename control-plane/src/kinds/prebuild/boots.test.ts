import type { Failure } from '@hearth/contract'
import { expect, test } from 'vitest'
import { countFailedBoots, type PrebuiltBoot } from './boots.ts'

const failure = (code: Failure['code'], step?: Failure['step']): Failure => ({
  code,
  message: '',
  ...(step === undefined ? {} : { step }),
})
const ready: PrebuiltBoot = { isReady: true, startedFrom: { from: 'disk' }, failure: null }
const fromImage: PrebuiltBoot = { isReady: true, startedFrom: { from: 'image' }, failure: null }
const failed = (why: Failure): PrebuiltBoot => ({ isReady: false, startedFrom: null, failure: why })
const silent = failed(failure('guest_unreachable', 'ensure_server'))
const damaged = failed(failure('layer_damaged', 'create_vm'))
const foreign = [
  failed(failure('command_failed', 'warm_pool_setup')),
  failed(failure('host_refused', 'create_vm')),
  failed(failure('runner_lost')),
]

test.each<[string, PrebuiltBoot[], number, number]>([
  ['nothing has started from it', [], 0, 0],
  ['the last started', [ready, silent, silent], 2, 0],
  ['two in a row did not, after one that did', [silent, damaged, ready, silent], 0, 2],
  ['a runner took the image instead', [fromImage, silent], 0, 2],
  ['others failed for another reason', [...foreign, silent], 0, 1],
  ['others failed for another reason after one that started', [...foreign, ready], 1, 0],
  ['the machines are not on record any more', [], 3, 3],
  ['and there is one more', [silent], 2, 2],
])('where %s', (_, newestFirst, counted, expected) => {
  expect(countFailedBoots(newestFirst, counted)).toBe(expected)
})
