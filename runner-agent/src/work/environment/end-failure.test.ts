import { samplePlan } from '@hearth/testing'
import { expect, test } from 'vitest'
import type { EndReason } from '../../host/machine.ts'
import { endFailure } from './end-failure.ts'
import { newRecord } from './record.ts'

const plan = samplePlan({ projectSetup: [{ name: 'one', command: 'true' }] })
const fresh = { ...newRecord(1, plan), power: 'running' as const, hostBootId: 'first' }
const inSetup = {
  ...fresh,
  steps: fresh.steps.map((step) =>
    step.name === 'project_setup' ? { ...step, phase: 'running' as const } : step,
  ),
}

test.each<[EndReason, string]>([
  ['guest_shut_down', 'the guest powered itself off during project_setup'],
  ['kernel_panicked', 'the guest’s kernel panicked during project_setup'],
  ['hypervisor_gone', 'QEMU was killed or crashed on the host during project_setup'],
  ['ended_on_host', 'somebody ended the machine on its host during project_setup'],
])('%s is told in words, with the step', (endReason, message) => {
  expect(endFailure({ endReason, hostBootId: 'first' }, inSetup)).toEqual({
    code: 'guest_unreachable',
    message,
    step: 'project_setup',
  })
})

test('outside of a step only the cause is given', () => {
  const failure = endFailure({ endReason: 'guest_shut_down', hostBootId: 'first' }, fresh)
  expect(failure).toEqual({ code: 'guest_unreachable', message: 'the guest powered itself off' })
})

test('a machine that is off since the host rebooted says so, and what a retry does', () => {
  const failure = endFailure({ endReason: 'unknown', hostBootId: 'second' }, inSetup)
  expect(failure.message).toMatch(/^the host rebooted, .*a retry starts it with what is on its disk$/)
})

test('a record of an agent that stored no boot id proves no reboot', () => {
  const failure = endFailure({ endReason: 'unknown', hostBootId: 'second' }, { ...fresh, hostBootId: null })
  expect(failure.message).toBe('the machine went off by itself')
})
