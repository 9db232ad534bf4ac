import type { Power } from '../host.ts'

/** What `virsh domstate --reason` says, in our words. Nothing said means there is no such domain. */
export function parsePower(text: string): Power {
  const [state = '', reason = ''] = text.trim().split(/ \(/)
  switch (state) {
    case '':
      return 'absent'
    case 'shut off':
      return reason.startsWith('crashed') || reason.startsWith('failed') ? 'crashed' : 'shut_off'
    case 'crashed':
      return 'crashed'
    default:
      // Running, idle, paused, in shutdown, suspended by the guest: QEMU is there.
      return 'running'
  }
}
