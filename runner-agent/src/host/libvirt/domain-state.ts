import type { PauseReason } from '@hearth/contract'
import { HostError } from '../host-error.ts'
import type { EndReason, Power } from '../machine.ts'

export interface DomainState {
  power: Power
  endReason: EndReason | null
  pauseReason: PauseReason | null
  /** Whether libvirt keeps the guest still for something of its own: a running machine, as a rule. */
  isHeld: boolean
}

const running: DomainState = { power: 'running', endReason: null, pauseReason: null, isHeld: false }
const absent: DomainState = { ...running, power: 'absent' }

/**
 * Translates the output of `virsh domstate --reason`; empty output means that there is no such domain. The states are
 * libvirt's complete set: an unknown word is a HostError, because mapping it to a known state would be a guess.
 */
export function parseDomainState(text: string): DomainState {
  const said = text.trim()
  const [, state = '', reason = ''] = /^([^()]*?)(?: \(([^()]*)\))?$/.exec(said) ?? [said, said]
  switch (state) {
    case '':
      if (said === '') return absent
      break
    case 'running':
    case 'idle':
    case 'in shutdown':
      return running
    case 'paused':
      // A machine that is being saved, dumped, migrated or started resumes by itself.
      return goesOnByItself.has(reason) ? { ...running, isHeld: true } : paused(reason)
    case 'pmsuspended':
      return paused(reason)
    case 'shut off':
    case 'no state':
      return ended(reason)
    case 'crashed':
      return { ...ended(reason), power: 'crashed' }
    default:
  }
  throw new HostError(
    'host_refused',
    `libvirt names a state of a machine that is not known: "${said.slice(0, 80)}"`,
  )
}

const goesOnByItself = new Set([
  'migrating',
  'saving',
  'dumping',
  'from snapshot',
  'shutting down',
  'creating snapshot',
  'starting up',
  'post-copy',
])

function paused(reason: string): DomainState {
  return { power: 'paused', endReason: null, pauseReason: pauseReason(reason), isHeld: false }
}

function pauseReason(reason: string): PauseReason {
  switch (reason) {
    case 'I/O error':
      return 'io_error'
    case 'user':
      return 'suspended'
    default:
      return 'other'
  }
}

function ended(reason: string): DomainState {
  switch (reason) {
    case 'shutdown':
      return { power: 'shut_off', endReason: 'guest_shut_down', pauseReason: null, isHeld: false }
    case 'destroyed':
      return { power: 'shut_off', endReason: 'ended_on_host', pauseReason: null, isHeld: false }
    case 'panicked':
      return { power: 'crashed', endReason: 'kernel_panicked', pauseReason: null, isHeld: false }
    case 'crashed':
    case 'failed':
      return { power: 'crashed', endReason: 'hypervisor_gone', pauseReason: null, isHeld: false }
    default:
      return { power: 'shut_off', endReason: 'unknown', pauseReason: null, isHeld: false }
  }
}
