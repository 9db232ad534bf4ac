import type { EnvironmentOrder, EnvironmentReport, Failure, ReportedPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import { StaleInGuest } from '../../guest/guest.ts'
import { isNewer } from '../../host/authority.ts'
import type { Machine } from '../../host/machine.ts'
import type { CommonStep, Failed, Task, Work } from '../work.ts'
import { reportedBinding } from './binding-record.ts'
import { BindingRun } from './binding-run.ts'
import { BootSlot } from './boot-slot.ts'
import type { EnvironmentContext } from './environment-context.ts'
import type { EnvironmentParts } from './environment-parts.ts'
import { GuestConnection } from './guest-connection.ts'
import { MachineEnded } from './machine-ended.ts'
import { MachinePower } from './machine-power.ts'
import { type MachineStep, nextStep, phaseDuring } from './next-step.ts'
import { tellInGuest } from './notice.ts'
import { isProvisioned, parseRecord, reopened } from './record.ts'
import { RecordKeeper } from './record-keeper.ts'
import { reportedRestarts, restartsLately, withRestart } from './restarts.ts'
import { thrownFailure } from './step-failure.ts'
import { type FailedStep, StepRunning } from './step-running.ts'

/** The work on one environment: its machine, and the steps in its guest. */
export class EnvironmentWork implements Work<EnvironmentOrder> {
  readonly record: RecordKeeper
  private readonly bootSlot: BootSlot
  private readonly guest: GuestConnection
  private readonly parts: EnvironmentParts
  private readonly power: MachinePower
  private readonly steps: StepRunning
  private readonly binding: BindingRun
  private address: Machine['address'] = null
  private reportedPhase: ReportedPhase | null = null

  constructor(
    private readonly task: Task<EnvironmentOrder>,
    private readonly context: EnvironmentContext,
  ) {
    const { clock, machines, stepEnded } = context
    const { id } = task.order
    this.bootSlot = new BootSlot(context.bootSlots)
    this.guest = new GuestConnection(context.openGuest)
    this.record = new RecordKeeper({
      clock,
      stepEnded,
      begun: () => task.order,
      write: (text) => machines.keepRecord(id, text, task.authority),
    })
    const { bootSlot, guest, record } = this
    this.parts = { task, context, bootSlot, guest, record }
    this.power = new MachinePower(this.parts)
    this.steps = new StepRunning(this.parts)
    this.binding = new BindingRun(this.parts)
  }

  async look(): Promise<Machine> {
    const machine = await this.context.machines.look(this.task.order.id)
    const nothing = machine.power === 'absent' && machine.record === null
    this.record.replace(nothing ? null : (parseRecord(machine.record) ?? this.record.record))
    this.address = machine.address
    return machine
  }

  next(order: EnvironmentOrder, machine: Machine): MachineStep | CommonStep {
    const { record } = this.record
    const lately = record === null ? 0 : restartsLately(record, this.context.clock.now())
    return nextStep(order, { machine, record, restartsLately: lately })
  }

  async take(step: MachineStep, machine: Machine): Promise<FailedStep | null> {
    try {
      return await this.takeStep(step, machine)
    } catch (thrown) {
      // A guest's word proves nothing about the agent's own lease.
      throw thrown instanceof StaleInGuest ? new GuestClaim(thrown.message) : thrown
    }
  }

  private async takeStep(step: MachineStep, machine: Machine): Promise<FailedStep | null> {
    const { task, record, power } = this
    const { machines } = this.context
    const { id } = task.order
    switch (step.kind) {
      case 'create':
        await power.create(step.source)
        return null
      case 'start':
        await power.start(machine)
        return null
      case 'start_from_memory':
        await power.startFromMemory(machine)
        return null
      case 'leave_memory':
        await power.leaveMemory()
        return null
      case 'restore':
        await power.restore(step.source)
        return null
      case 'check_guest':
        return this.steps.checkGuest(machine)
      case 'provision':
        return this.steps.provision(step.index, machine)
      case 'read_repository':
        return this.steps.readRepository(step.repository, machine)
      case 'bind':
        await this.binding.bind(machine)
        return null
      case 'bind_again':
        await this.binding.bindAgain(machine)
        return null
      case 'stamp':
        await machines.stamp(id, task.authority)
        return null
      case 'scrub':
        await power.scrub(machine)
        return null
      case 'stop':
        await power.stop(machine)
        return null
      case 'suspend':
        await power.suspend()
        return null
      case 'resume':
        await power.resume(machine)
        return null
      case 'tell':
        await tellInGuest(this.parts, step.notice, machine)
        return null
      case 'remove':
      case 'start_over':
        this.letGo()
        task.report(phaseDuring(step, record.record))
        await machines.remove(id, task.authority)
        record.replace(null)
        return null
      case 'restart':
        task.report('starting')
        await record.keep({
          ...withRestart(record.open(), step.cause, this.context.clock.now()),
          ...{ power: 'stopped', identity: null },
        })
        return null
      case 'recover':
        record.replaceSteps((steps) => reopened(steps, 'own_identity', 'failed'))
        await record.keep({ failure: null, failedGeneration: 0, power: 'stopped' })
        return null
      default:
        return assertNever(step)
    }
  }

  async failed(thrown: unknown): Promise<Failed | null> {
    if (thrown instanceof GuestClaim) return this.judge(thrown)
    const step = this.record.record?.steps[this.record.runningIndex]
    return { failure: thrownFailure(thrown, step?.name) }
  }

  /** Root in a guest may claim anything, so the machine's own metadata is checked, which the guest cannot reach. */
  private async judge({ message }: GuestClaim): Promise<Failed | null> {
    const { id } = this.task.order
    const { ownership } = await this.context.machines.look(id)
    // The next look refuses the order.
    if (ownership !== null && isNewer(ownership, this.task.authority)) return null
    const told = `the guest refused an order: ${message}; the machine itself shows nothing newer`
    return { failure: { code: 'guest_misbehaved', message: told } }
  }

  async keepFailure({ failure, index, exitCode }: FailedStep): Promise<void> {
    const { generation } = this.task.order
    await this.record.fail(failure, generation, index ?? this.record.runningIndex, exitCode ?? null)
  }

  report(phase: ReportedPhase, failure: Failure | null): Body {
    const { id } = this.task.order
    const { record } = this.record
    const activity = phase === 'running' ? this.context.activity.of(id) : undefined
    if (phase !== this.reportedPhase) this.context.machineChanges.tell(id)
    this.reportedPhase = phase
    return {
      phase,
      address: phase === 'deleted' ? null : this.address,
      identity: record?.identity ?? null,
      paused: this.context.pauses.of(id),
      steps: record?.steps ?? [],
      startedFrom: record?.startedFrom ?? null,
      resumed: record?.resumed ?? null,
      restarts: record === null ? null : reportedRestarts(record),
      ...(activity === undefined ? {} : { activity }),
      binding: reportedBinding(record?.binding ?? null),
      ...(record?.declared == null ? {} : { declared: record.declared }),
      failure,
    }
  }

  letGo(): void {
    this.bootSlot.release()
    this.guest.close()
  }

  /** After how long without use it ends, for a machine that is ready; null where nobody wants to know of its use. */
  get idleSeconds(): number | null {
    const { order, isOver } = this.task
    const { record } = this.record
    const isReady = record?.power === 'running' && record.identity !== null && isProvisioned(record)
    return order.desiredPhase === 'running' && isReady && !isOver ? (order.idleSeconds ?? null) : null
  }

  /** Whether the agent itself is in the guest. */
  get isInGuest(): boolean {
    return this.guest.isOpen
  }

  /** Resumes a paused machine if it should run. */
  async resume(): Promise<void> {
    const { order, authority, isOver } = this.task
    // One that is to be suspended goes on first.
    if ((order.desiredPhase !== 'running' && order.desiredPhase !== 'suspended') || isOver) return
    await this.context.machines.resume(order.id, authority)
  }

  /** When the machine no longer runs, everything that waits for its guest is aborted. */
  async endWaitOfEndedMachine(): Promise<void> {
    const interrupt = this.task.interruption()
    if (!this.guest.isOpen) return
    // If the machine cannot be looked at now, it is looked at again at the watch's next event or at the step's
    // deadline.
    const machine = await this.context.machines.look(this.task.order.id).catch(() => null)
    if (machine === null || machine.power === 'running' || machine.power === 'paused') return
    interrupt(new MachineEnded())
  }
}

type Body = Omit<
  EnvironmentReport,
  'kind' | 'id' | 'runnerId' | 'epoch' | 'generation' | 'sequence' | 'reportedAt'
>

/** Called when a guest says that it was worked on under a newer lease or order. */
class GuestClaim extends Error {}
