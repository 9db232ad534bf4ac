import type { Failure, VolumeOrder, VolumeReport, VolumeReportPhase } from '@hearth/contract'
import { assertNever, toError } from '@hearth/foundation'
import { GuestMisbehaved, GuestUnreachable } from '../../guest/guest.ts'
import { type GuestVolume, type GuestVolumes, VolumeRefused } from '../../guest/volume.ts'
import { HostError } from '../../host/host-error.ts'
import type { Volume } from '../../host/volume.ts'
import { HostKeyMismatch } from '../../secure-shell/connection.ts'
import { MachineEnded } from '../environment/machine-ended.ts'
import type { Failed, Task, Work } from '../work.ts'
import { type NextVolumeStep, nextStep, type SeenVolume, type VolumeStep } from './next-step.ts'
import type { VolumeContext } from './volume-context.ts'
import { VolumeRecord } from './volume-record.ts'

/** How long a guest has for one attempt, and one whose volume is taken without its leave. */
const guestMilliseconds = 60_000
const forcedMilliseconds = 15_000
const bytesPerMebibyte = 1024 ** 2

const phaseOf: Readonly<Record<VolumeStep['kind'], VolumeReportPhase>> = {
  create: 'creating',
  clear: 'clearing',
  grow: 'growing',
  attach: 'attaching',
  mount: 'attaching',
  unmount: 'detaching',
  detach: 'detaching',
  remove: 'deleting',
}

/** The work on one volume. */
export class VolumeWork implements Work<VolumeOrder> {
  readonly record = new VolumeRecord()
  private volume: Volume | null = null
  private wasPresent = false
  /** The machine in which it is mounted or not, as far as that was asked since its start. */
  private mounted: { environmentId: string; isMounted: boolean } | null = null
  private endStep: ((reason: Error) => void) | null = null

  constructor(
    private readonly task: Task<VolumeOrder>,
    private readonly context: VolumeContext,
  ) {}

  /** Whether something that happens to this machine matters to the volume. */
  concerns(environmentId: string): boolean {
    return [this.volume?.environmentId, this.task.order.environmentId].includes(environmentId)
  }

  /** The machine was started or has ended: what was seen in it, or failed in it, says nothing any more. */
  machineChanged(): void {
    this.mounted = null
    this.record.replace(null)
    this.endStep?.(new MachineEnded())
  }

  async look(): Promise<SeenVolume> {
    const { order } = this.task
    const volume = await this.context.volumes.look(order.id)
    this.volume = volume
    const environmentId = volume.environmentId ?? order.environmentId
    const power = environmentId === null ? 'absent' : (await this.context.machines.look(environmentId)).power
    if (power !== 'running' && power !== 'paused') this.mounted = null
    const isMounted = this.mounted?.environmentId === environmentId ? this.mounted.isMounted : null
    this.wasPresent ||= volume.phase === 'present'
    return { volume, power, isMounted, wasPresent: this.wasPresent, ...this.record.record }
  }

  next(order: VolumeOrder, seen: SeenVolume): NextVolumeStep {
    return nextStep(order, seen)
  }

  async take(step: VolumeStep): Promise<null> {
    const { task, context } = this
    const { volumes } = context
    const { id, sizeMebibytes, sourceId, contentNumber } = task.order
    const bytes = sizeMebibytes * bytesPerMebibyte
    task.report(task.order.desired === 'deleted' ? 'deleting' : phaseOf[step.kind])
    switch (step.kind) {
      case 'create':
        await volumes.create({ volumeId: id, bytes, sourceId }, task.authority)
        return null
      case 'clear':
        await volumes.clear(id, contentNumber, task.authority)
        return null
      case 'grow':
        await volumes.grow(id, bytes, task.authority)
        // The guest's file system grows when it is mounted again.
        this.mounted = null
        return null
      case 'attach':
        await volumes.attach(id, step.environmentId, task.authority)
        this.mounted = null
        return null
      case 'mount':
        await this.inGuest(step.environmentId, guestMilliseconds, (guest, volume, signal) =>
          guest.mount(volume, signal),
        )
        this.mounted = { environmentId: step.environmentId, isMounted: true }
        return null
      case 'unmount':
        await this.unmount(step.environmentId, step.force)
        this.mounted = { environmentId: step.environmentId, isMounted: false }
        return null
      case 'detach':
        await volumes.detach(id, task.authority)
        return null
      case 'remove':
        await volumes.remove(id, task.authority)
        return null
      default:
        return assertNever(step)
    }
  }

  /** A guest that does not answer is asked again, with growing pauses, until the control plane gives it up. */
  async failed(thrown: unknown): Promise<Failed | null> {
    if (thrown instanceof MachineEnded || this.task.interrupted.aborted) return null
    if (thrown instanceof GuestUnreachable || thrown instanceof HostKeyMismatch) throw thrown
    const { message } = toError(thrown)
    if (thrown instanceof HostError || thrown instanceof VolumeRefused)
      return { failure: { code: thrown.code, message } }
    const code = thrown instanceof GuestMisbehaved ? 'guest_misbehaved' : 'internal'
    return { failure: { code, message } }
  }

  async keepFailure({ failure }: Failed): Promise<void> {
    this.record.record = { failure, failedGeneration: this.task.order.generation }
  }

  report(phase: string, failure: Failure | null): Body {
    const { volume } = this
    return {
      phase: phase as VolumeReportPhase,
      failure,
      isMade: volume?.phase === 'present',
      attachedTo: volume?.environmentId ?? null,
      isMounted: volume?.isPlugged === true && this.mounted?.isMounted === true,
      usedMebibytes: volume?.phase === 'present' ? Math.ceil(volume.usedBytes / bytesPerMebibyte) : null,
    }
  }

  letGo(): void {
    // Nothing is held between the steps.
  }

  private async unmount(environmentId: string, force: boolean): Promise<void> {
    const milliseconds = force ? forcedMilliseconds : guestMilliseconds
    try {
      await this.inGuest(environmentId, milliseconds, (guest, volume, signal) =>
        guest.unmount(volume, force, signal),
      )
    } catch (thrown) {
      // Its disk is taken out of the machine all the same.
      if (!force || this.task.interrupted.aborted || thrown instanceof MachineEnded) throw thrown
    }
  }

  private async inGuest(
    environmentId: string,
    milliseconds: number,
    work: (guest: GuestVolumes, volume: GuestVolume, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { task, context } = this
    const { id, mountPath } = task.order
    const machine = await context.machines.look(environmentId)
    const used = context.guests.use(machine)
    this.endStep = task.interruption()
    try {
      await task.authority.assertHeld()
      const signal = AbortSignal.any([task.interrupted, AbortSignal.timeout(milliseconds)])
      await work(used.guest.volumes, { volumeId: id, mountPath }, signal)
    } finally {
      this.endStep = null
      used.release()
    }
  }
}

type Body = Pick<VolumeReport, 'phase' | 'failure' | 'isMade' | 'attachedTo' | 'isMounted' | 'usedMebibytes'>
