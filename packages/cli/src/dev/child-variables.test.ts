import { expect, test } from 'vitest'
import { childVariables } from './child-variables.ts'

test('a child process gets the settings of the agent, but not the user’s token or address', () => {
  const own = {
    PATH: '/bin',
    HEARTH_TOKEN: 'secret',
    HEARTH_URL: 'http://elsewhere',
    HEARTH_STATE: '/s',
    HEARTH_VIRTUALIZATION: 'qemu',
    HEARTH_GUEST_DENY: '10.0.0.0/8',
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
    HEARTH_LISTEN: '0.0.0.0:1',
  }
  expect(
    childVariables(own, { HEARTH_LISTEN: '127.0.0.1:7070', HEARTH_NATS_CREDENTIALS_FILE: undefined }),
  ).toEqual({
    PATH: '/bin',
    HEARTH_VIRTUALIZATION: 'qemu',
    HEARTH_GUEST_DENY: '10.0.0.0/8',
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
    HEARTH_LISTEN: '127.0.0.1:7070',
  })
})
