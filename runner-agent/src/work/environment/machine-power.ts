import type { MachineSource } from '@hearth/contract'
import { Deadline } from '@hearth/foundation'
import { HostError } from '../../host/host-error.ts'
import type { Machine } from '../../host/machine.ts'
import { restoredBinding } from './binding-record.ts'
import type { EnvironmentParts } from './environment-parts.ts'
import {
  faultOfMemory,
  faultOfSource,
  fromImage,
  fromLayer,
  reasonOf,
  withoutMemory,
} from './machine-origin.ts'
import { isProvisioned, newSteps, reopened, restoredSteps } from './record.ts'
import { shutDown } from './shut-down.ts'
import { machineSpecification } from './specification.ts'

/** Maximum time for a scrub; most of it is the time in which the guest gives its free blocks back. */
const scrubMilliseconds = 300_000

/** Creates, starts, restores and stops the machine of one environment. */
export class MachinePower {
  constructor(private readonly parts: EnvironmentParts) {}

  /** Creates the machine from the snapshot or, without one, from the image. */
  async create(source: MachineSource | null): Promise<void> {
    const { task, context, bootSlot, record } = this.parts
    const { order } = task
    await bootSlot.take(task.interrupted)
    record.open()
    record.beginStep(record.indexOf('create_vm'))
    task.report('provisioning')
    try {
      await context.machines.create(machineSpecification(order, source), task.authority)
    } catch (thrown) {
      const fault = faultOfSource(thrown, source)
      if (fault === null) throw thrown
      context.log.warn(
        { environmentId: order.id, fault },
        'the snapshot is of no use: starting from the image',
      )
      // The image holds no step.
      record.replaceSteps((steps) => [...steps.slice(0, 1), ...newSteps(order.plan, null).slice(1)])
      await record.keep(fromImage(source, fault))
      return
    }
    const known = record.open().startedFrom
    const origin =
      source === null
        ? fromImage(order.source ?? null, known?.reason ?? null)
        : fromLayer(source, await context.layers.look(source.snapshotId))
    await record.keep({ power: 'stopped', ...origin })
  }

  async start(machine: Machine): Promise<void> {
    const { task, context } = this.parts
    await this.beginStart()
    await context.machines.start(task.order.id, task.authority)
    await this.started(machine)
  }

  /** Where the memory cannot be used, the next step boots the machine. */
  async startFromMemory(machine: Machine): Promise<void> {
    const { task, context, record } = this.parts
    const { id } = task.order
    await this.beginStart()
    const { memoryStart, startedFrom } = record.open()
    // One whose loading was cut runs too, as libvirt says, and has that for its fault.
    const isLoaded = memoryStart === 'begun' && machine.power === 'running' && machine.fault === null
    if (!isLoaded) {
      const layerId = startedFrom?.snapshotId
      if (layerId == null) throw new Error('the record does not say from which snapshot the machine was made')
      // Loading it was cut, perhaps after the guest had gone on.
      if (memoryStart === 'begun' || machine.power !== 'shut_off') await this.putBack(layerId)
      await record.keep({ memoryStart: 'begun' })
      try {
        await context.machines.startFromMemory(id, layerId, task.authority)
      } catch (thrown) {
        const fault = faultOfMemory(thrown)
        if (fault === null) throw thrown
        context.log.warn({ environmentId: id, fault }, 'the memory is of no use: the machine boots')
        await record.keep({ memoryStart: 'none', startedFrom: withoutMemory(startedFrom, fault) })
        return
      }
    }
    await this.started(machine)
  }

  /** The guest that went on from memory cannot be used: it boots from the snapshot's disk. */
  async leaveMemory(): Promise<void> {
    const { guest, record } = this.parts
    const { startedFrom } = record.open()
    guest.close()
    await record.keep({ power: 'stopped', identity: null })
    if (startedFrom?.snapshotId != null) await this.putBack(startedFrom.snapshotId)
    record.replaceSteps((steps) => reopened(steps, 'own_identity'))
    await record.keep({ memoryStart: 'none' })
  }

  /** Puts the machine back to the snapshot; until the snapshot is known to be there, the machine is left as it is. */
  async restore(source: MachineSource): Promise<void> {
    const { task, context, bootSlot, guest, record } = this.parts
    await bootSlot.take(task.interrupted)
    const layer = await context.layers.look(source.snapshotId)
    if (layer.phase !== 'present') {
      throw new HostError('layer_damaged', `the snapshot ${source.snapshotId} is not on this host`)
    }
    task.report('starting')
    guest.close()
    record.open()
    // Recorded before the power is cut: a machine found off must not look as if it had ended by itself.
    await record.keep({ power: 'stopped', identity: null })
    await this.putBack(source.snapshotId)
    record.replaceSteps((steps) => restoredSteps(steps, source))
    await record.keep({
      incarnation: source.incarnation,
      failure: null,
      failedGeneration: 0,
      binding: restoredBinding(record.open().binding),
      ...fromLayer(source, layer),
    })
  }

  async scrub(machine: Machine): Promise<void> {
    const { task, guest, record } = this.parts
    task.report('stopping')
    using deadline = new Deadline(scrubMilliseconds, task.interrupted)
    await guest.open(machine).guest.scrub(deadline.signal)
    await record.keep({ isScrubbed: true })
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

  /** Where the host cannot, the machine runs on, and the reason is kept. */
  async suspend(): Promise<void> {
    const { task, context, bootSlot, guest, record } = this.parts
    const { id, generation } = task.order
    bootSlot.release()
    task.report('suspending')
    guest.close()
    try {
      await context.machines.suspend(id, task.authority)
    } catch (thrown) {
      if (!(thrown instanceof HostError)) throw thrown
      const failure = { code: thrown.code, message: thrown.message }
      context.log.warn({ environmentId: id, failure }, 'the machine is not suspended: it runs on')
      await record.keep({ suspensionFault: { generation, failure } })
      return
    }
    await record.keep({ power: 'stopped', identity: null, suspensionFault: null })
  }

  /** Where the memory cannot be used, the next step boots the machine. */
  async resume(machine: Machine): Promise<void> {
    const { task, context, bootSlot, record } = this.parts
    const { id } = task.order
    await bootSlot.take(task.interrupted)
    task.report('resuming')
    // Recorded before: a machine found off must not look as if it had ended by itself.
    await record.keep({ power: 'stopped', identity: null, isResuming: true })
    try {
      await context.machines.resumeSuspended(id, task.authority)
    } catch (thrown) {
      const fault = faultOfMemory(thrown)
      if (fault === null) throw thrown
      context.log.warn({ environmentId: id, fault }, 'the memory is of no use: the machine boots')
      await record.keep({ isResuming: false, resumed: { from: 'disk', reason: reasonOf(fault) } })
      return
    }
    await this.started(machine)
    await record.keep({ resumed: { from: 'memory', reason: null } })
  }

  private async beginStart(): Promise<void> {
    const { task, bootSlot, record } = this.parts
    await bootSlot.take(task.interrupted)
    if (isProvisioned(record.open())) task.report('starting')
  }

  private async started({ hostBootId }: Machine): Promise<void> {
    const { record } = this.parts
    const index = record.indexOf('create_vm')
    if (record.open().steps[index]?.phase === 'running') {
      record.endStep(index, { phase: 'succeeded', exitCode: null, error: null })
    }
    await record.keep({
      power: 'running',
      hostBootId,
      identity: null,
      memoryStart: 'none',
      isScrubbed: false,
    })
  }

  private async putBack(layerId: string): Promise<void> {
    const { task, context } = this.parts
    await context.machines.powerOff(task.order.id, task.authority)
    await context.machines.replaceDisk(task.order.id, layerId, task.authority)
  }
}
