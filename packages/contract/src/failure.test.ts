import { expect, test } from 'vitest'
import { type Failure, isUnanswered, speaksAgainstHost, speaksAgainstSnapshot } from './failure.ts'

const failure = (code: Failure['code'], step?: Failure['step']): Failure => ({
  code,
  message: '',
  ...(step === undefined ? {} : { step }),
})

test('only failures in making a machine and in its first answer count against its host', () => {
  expect(speaksAgainstHost(failure('host_refused', 'create_vm'))).toBe(true)
  expect(speaksAgainstHost(failure('guest_unreachable', 'ensure_server'))).toBe(true)
  expect(speaksAgainstHost(failure('command_failed', 'project_setup'))).toBe(false)
  expect(speaksAgainstHost(failure('image_missing', 'create_vm'))).toBe(false)
  expect(speaksAgainstHost(failure('guest_unreachable'))).toBe(false)
  expect(speaksAgainstHost(failure('guest_misbehaved', 'ensure_server'))).toBe(false)
  expect(speaksAgainstHost(null)).toBe(false)
})

test('only a snapshot that cannot be used, and a guest on it that does not answer as itself, count against it', () => {
  expect(speaksAgainstSnapshot(failure('layer_damaged', 'create_vm'))).toBe(true)
  expect(speaksAgainstSnapshot(failure('layer_unfit', 'create_vm'))).toBe(true)
  expect(speaksAgainstSnapshot(failure('identity_mismatch', 'own_identity'))).toBe(true)
  expect(speaksAgainstSnapshot(failure('guest_unreachable', 'ensure_server'))).toBe(true)
  expect(speaksAgainstSnapshot(failure('host_refused', 'create_vm'))).toBe(false)
  expect(speaksAgainstSnapshot(failure('command_failed', 'warm_pool_setup'))).toBe(false)
  expect(speaksAgainstSnapshot(failure('runner_lost'))).toBe(false)
  expect(speaksAgainstSnapshot(null)).toBe(false)
})

test('a guest that does not answer may be the fault of its host, one that answers as somebody else is not', () => {
  expect(isUnanswered(failure('guest_unreachable', 'own_identity'))).toBe(true)
  expect(isUnanswered(failure('deadline_passed', 'ensure_server'))).toBe(true)
  expect(isUnanswered(failure('identity_mismatch', 'own_identity'))).toBe(false)
  expect(isUnanswered(failure('layer_damaged', 'ensure_server'))).toBe(false)
  expect(isUnanswered(failure('command_failed', 'project_setup'))).toBe(false)
})
