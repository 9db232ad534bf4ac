import type { Machine } from '../../host/machine.ts'
import type { EnvironmentParts } from './environment-parts.ts'
import { isProvisioned } from './record.ts'
import { shutDown } from './shut-down.ts'
import { machineSpecification } from './specification.ts'

/** Creates, starts and stops the machine of one environment. */
export class MachinePower {
  constructor(private readonly parts: EnvironmentParts) {}

  async create(): Promise<void> {
    const { task, context, bootSlot, record } = this.parts
    await bootSlot.take(task.interrupted)
    record.open()
    record.beginStep(record.indexOf('create_vm'))
    task.report('provisioning')
    await context.machines.create(machineSpecification(task.order), task.authority)
    await record.keep({ power: 'stopped' })
  }

  async start({ hostBootId }: Machine): Promise<void> {
    const { task, context, bootSlot, record } = this.parts
    await bootSlot.take(task.interrupted)
    const opened = record.open()
    if (isProvisioned(opened)) task.report('starting')
    await context.machines.start(task.order.id, task.authority)
    const index = record.indexOf('create_vm')
    if (opened.steps[index]?.phase === 'running') {
      record.endStep(index, { phase: 'succeeded', exitCode: null, error: null })
    }
    await record.keep({ power: 'running', hostBootId, identity: null })
  }

  async stop(machine: Machine): Promise<void> {
    const { task, context, bootSlot, guest, record } = this.parts
    bootSlot.release()
    task.report('stopping')
    // Recorded before the request: a machine found off must not look as if it had ended by itself.
    record.open()
    await record.keep({ power: 'stopped', identity: null })
    await shutDown({
      environmentId: task.order.id,
      authority: task.authority,
      machines: context.machines,
      clock: context.clock,
      log: context.log,
      guest: guest.open(machine).guest,
      asked: () => {
        bootSlot.release()
        guest.close()
      },
      interrupted: task.interrupted,
    })
  }
}
