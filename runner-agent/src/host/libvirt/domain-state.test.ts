import { expect, test } from 'vitest'
import { parseDomainState } from './domain-state.ts'

test.each([
  ['', 'absent', null, null],
  ['running (booted)', 'running', null, null],
  ['idle', 'running', null, null],
  ['in shutdown (user)', 'running', null, null],
  ['paused (starting up)', 'running', null, null],
  ['paused (saving)', 'running', null, null],
  ['paused (I/O error)', 'paused', null, 'io_error'],
  ['paused (user)', 'paused', null, 'suspended'],
  ['paused (watchdog)', 'paused', null, 'other'],
  ['pmsuspended (unknown)', 'paused', null, 'other'],
  ['shut off (shutdown)\n', 'shut_off', 'guest_shut_down', null],
  ['shut off (destroyed)', 'shut_off', 'ended_on_host', null],
  ['shut off (unknown)', 'shut_off', 'unknown', null],
  ['no state', 'shut_off', 'unknown', null],
  ['shut off (crashed)', 'crashed', 'hypervisor_gone', null],
  ['shut off (failed)', 'crashed', 'hypervisor_gone', null],
  ['crashed (panicked)', 'crashed', 'kernel_panicked', null],
])('libvirt’s "%s" in our words', (said, power, endReason, pauseReason) => {
  const isHeld = said === 'paused (starting up)' || said === 'paused (saving)'
  expect(parseDomainState(said)).toEqual({ power, endReason, pauseReason, isHeld })
})

test.each([
  'laufend (gestartet)',
  'Ausgeschaltet (Herunterfahren)',
  'angehalten',
  'runnin',
  '(',
  'running\nrunning',
])('a word that libvirt’s own set does not have is an error: %j', (said) => {
  expect(() => parseDomainState(said)).toThrow(/state of a machine that is not known/)
})
