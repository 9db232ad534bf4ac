import { expect, test } from 'vitest'
import { type Failure, speaksAgainstHost } from './failure.ts'

test('only failures in making a machine and in its first answer count against its host', () => {
  const failure = (code: Failure['code'], step?: Failure['step']): Failure => ({
    code,
    message: '',
    ...(step === undefined ? {} : { step }),
  })
  expect(speaksAgainstHost(failure('host_refused', 'create_vm'))).toBe(true)
  expect(speaksAgainstHost(failure('guest_unreachable', 'ensure_server'))).toBe(true)
  expect(speaksAgainstHost(failure('command_failed', 'project_setup'))).toBe(false)
  expect(speaksAgainstHost(failure('image_missing', 'create_vm'))).toBe(false)
  expect(speaksAgainstHost(failure('guest_unreachable'))).toBe(false)
  expect(speaksAgainstHost(failure('guest_misbehaved', 'ensure_server'))).toBe(false)
  expect(speaksAgainstHost(null)).toBe(false)
})
