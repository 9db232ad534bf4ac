import { expect, test } from 'vitest'
import { type OrderFacts, onCrashOf, orderDigest } from './order-digest.ts'

const facts: OrderFacts = {
  id: 'environment',
  name: 'shop-1',
  owner_kind: null,
  desired_phase: 'running',
  spec_version: 1,
  configuration: 'made-so',
  source: null,
  phase: 'running',
  unreachable: false,
  life: null,
  claim_name: null,
  project_version: 1,
  on_crash: 'restart',
  runner_id: 'runner',
  epoch: 1,
  sealing_key: null,
  user_certificate_authority: 'ssh-ed25519 AAAA',
  claim_id: null,
  binding_attempt: null,
}

test('what is kept for people starts again after a crash, where their project says no more or that', () => {
  expect(onCrashOf(facts)).toBe('restart')
  expect(onCrashOf({ ...facts, on_crash: null, owner_kind: 'warm-pool' })).toBe('restart')
  expect(onCrashOf({ ...facts, on_crash: 'fail' })).toBe('fail')
  for (const owner_kind of ['prebuild', 'warm-pool-test', 'warm-pool-inspection'] as const)
    expect(onCrashOf({ ...facts, owner_kind })).toBe('fail')
})

test('an agent whose order says something else of a crash is sent it again', () => {
  expect(orderDigest({ ...facts, on_crash: 'fail' })).not.toBe(orderDigest(facts))
  expect(orderDigest({ ...facts, on_crash: null })).toBe(orderDigest(facts))
})

test('an agent is sent an order again for every try at binding, and for no claim that binds nothing', () => {
  const claimed = { ...facts, claim_id: 'claim' }
  expect(orderDigest(claimed)).toBe(orderDigest(facts))
  const first = orderDigest({ ...claimed, binding_attempt: 1 })
  expect(first).not.toBe(orderDigest(facts))
  expect(orderDigest({ ...claimed, binding_attempt: 2 })).not.toBe(first)
})
