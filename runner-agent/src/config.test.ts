import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('all faults are named at once', () => {
  const given = {
    HEARTH_AGENT_HOST: 'xen',
    HEARTH_VIRTUALIZATION: 'maybe',
    HEARTH_SYNTHETIC_FAILURES: 'create_vm:2,nonsense:0.1',
    HEARTH_HOST_SSH: 'nobody',
  }
  expect(() => readConfig(given)).toThrow(
    /HEARTH_AGENT_STATE[\s\S]*HEARTH_AGENT_HOST[\s\S]*HEARTH_VIRTUALIZATION[\s\S]*HEARTH_HOST_SSH[\s\S]*create_vm:2[\s\S]*nonsense/,
  )
})

test('another host needs a key and a pinned host key', () => {
  const given = { HEARTH_AGENT_STATE: '/s', HEARTH_IMAGES: '/i', HEARTH_HOST_SSH: 'root@host:2222' }
  expect(() => readConfig(given)).toThrow(/HEARTH_HOST_SSH_KEY_FILE[\s\S]*HEARTH_HOST_SSH_HOST_KEY/)
})

test('settings are read with their defaults', () => {
  const config = readConfig({
    HEARTH_AGENT_STATE: '/s',
    HEARTH_AGENT_HOST: 'synthetic',
    HEARTH_SYNTHETIC_FAILURES: 'create_vm:0.1, project_setup:1',
    HEARTH_AGENT_LISTEN: '127.0.0.1:9000',
  })
  expect(config.synthetic.failures).toEqual({ create_vm: 0.1, project_setup: 1 })
  expect(config.listen).toEqual({ host: '127.0.0.1', port: 9000 })
  expect(config.libvirt.guestAddress).toBe('127.0.0.1')
})
