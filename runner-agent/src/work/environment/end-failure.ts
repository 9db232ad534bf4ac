import { type Failure, stepKey } from '@hearth/contract'
import type { EndReason, Machine } from '../../host/machine.ts'
import type { EnvironmentRecord } from './record.ts'

/** The failure of a machine that should run and is off: what ended it, and during which step. */
export function endFailure(
  machine: Pick<Machine, 'endReason' | 'hostBootId'>,
  record: EnvironmentRecord,
): Failure {
  if (hasRebooted(machine, record)) {
    return {
      code: 'guest_unreachable',
      message:
        'the host rebooted, and the machine has been off since: a retry starts it with what is on its disk',
    }
  }
  const step = record.steps.find(({ phase }) => phase === 'running')
  const during = step === undefined ? '' : ` during ${stepKey(step)}`
  return {
    code: 'guest_unreachable',
    message: `${endings[machine.endReason ?? 'unknown']}${during}`,
    ...(step === undefined ? {} : { step: step.name }),
  }
}

/** What ended a machine that was ready, in words. */
export function endCause(
  machine: Pick<Machine, 'endReason' | 'hostBootId'>,
  record: Pick<EnvironmentRecord, 'hostBootId'>,
): string {
  return hasRebooted(machine, record) ? 'the host rebooted' : endings[machine.endReason ?? 'unknown']
}

function hasRebooted(
  { hostBootId }: Pick<Machine, 'hostBootId'>,
  record: Pick<EnvironmentRecord, 'hostBootId'>,
): boolean {
  return record.hostBootId !== null && record.hostBootId !== hostBootId
}

const endings: Record<EndReason, string> = {
  guest_shut_down: 'the guest powered itself off',
  ended_on_host: 'somebody ended the machine on its host',
  kernel_panicked: 'the guest’s kernel panicked',
  hypervisor_gone: 'QEMU was killed or crashed on the host',
  unknown: 'the machine went off by itself',
}
