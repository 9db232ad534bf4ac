import { setTimeout as delay } from 'node:timers/promises'
import {
  type Failure,
  mostReportedRuns,
  type ProcessOrder,
  type ProcessReport,
  type ReportedRun,
} from '@hearth/contract'
import { assertNever, toError } from '@hearth/foundation'
import { GuestMisbehaved, StaleInGuest } from '../../guest/guest.ts'
import type { GuestRun, KnownRun } from '../../guest/process.ts'
import type { Machine } from '../../host/machine.ts'
import { MachineEnded } from '../environment/machine-ended.ts'
import { secretAutomaton } from '../environment/secret-mask.ts'
import type { CommonStep, Failed, Task, Work } from '../work.ts'
import type { UsedGuest } from './guests.ts'
import { InputsMissing } from './inputs.ts'
import { nextStep, type ProcessReportPhase, type ProcessStep, type SeenProcess } from './next-step.ts'
import type { ProcessContext } from './process-context.ts'
import { ProcessRecord } from './process-record.ts'
import { RunLog } from './run-log.ts'
import { givenVariables, openValues } from './secrets.ts'

/** How many of its runs a report tells, the newest last. */
const toldRuns = 4

/** The work on one task or service of a machine. */
export class ProcessWork implements Work<ProcessOrder> {
  readonly record = new ProcessRecord()
  /** The newest run, as far as the guest was asked; undefined before it was. */
  private run: KnownRun | null | undefined
  private endedAt: number | null = null
  private isForgotten = false
  /** What the guest was told that is wished; null for nothing, since it runs. */
  private toldWish: string | null = null
  private nextRunAt: number | null = null
  private log: RunLog | null = null
  private told: ReportedRun[] = []
  private used: UsedGuest | null = null
  private interruptStep: ((reason: Error) => void) | null = null

  constructor(
    private readonly task: Task<ProcessOrder>,
    private readonly context: ProcessContext,
  ) {}

  get environmentId(): string {
    return this.task.order.environmentId
  }

  async look(): Promise<SeenProcess> {
    const { order } = this.task
    const machine = await this.context.machines.look(order.environmentId)
    const isOn = machine.power === 'running' && machine.ownership !== null
    if (!isOn) {
      this.release()
      // It may boot anew: what runs then is asked of the guest.
      if (machine.power !== 'paused' && machine.power !== 'suspended') {
        this.run = undefined
        this.toldWish = null
      }
    } else if (this.run === undefined) this.run = await this.askForRun(machine)
    return {
      machine,
      run: this.run ?? null,
      isRead: this.log !== null && this.log.number === this.run?.number && this.log.isEnded,
      isForgotten: this.isForgotten,
      toldWish: this.toldWish,
      failure: this.record.record?.failure ?? null,
      failedGeneration: this.record.record?.failedGeneration ?? 0,
      now: this.context.clock.now().getTime(),
      endedAt: this.endedAt,
    }
  }

  next(order: ProcessOrder, seen: SeenProcess): ProcessStep | CommonStep<ProcessReportPhase> {
    return nextStep(order, seen)
  }

  async take(step: ProcessStep, { machine }: SeenProcess & { machine: Machine }): Promise<null> {
    const { task } = this
    this.interruptStep = task.interruption()
    this.nextRunAt = null
    try {
      switch (step.kind) {
        case 'start':
          await this.bringInputs(machine)
          await this.follow(machine, this.toRun(step.number, step.restarts))
          return null
        case 'follow':
          if (this.run == null) return null
          await this.follow(machine, this.toRun(this.run.number, this.run.restarts))
          return null
        case 'pause':
          this.nextRunAt = this.context.clock.now().getTime() + step.milliseconds
          task.report('restarting')
          await delay(step.milliseconds, undefined, { signal: task.interrupted }).catch(() => undefined)
          return null
        case 'stop':
          task.report('stopping')
          await this.stop(machine)
          return null
        case 'tell':
          await this.processes(machine).tell(task.order.id, step.wish, task.order, task.interrupted)
          this.toldWish = step.wish
          return null
        case 'forget':
          await this.processes(machine).forget(task.order.id, task.order, task.interrupted)
          this.isForgotten = true
          return null
        default:
          return assertNever(step)
      }
    } finally {
      this.interruptStep = null
    }
  }

  /** Ends the present step where the machine does not run any more. */
  async machineChanged(): Promise<void> {
    const interrupt = this.interruptStep
    if (interrupt === null) return
    const { power } = await this.context.machines.look(this.environmentId)
    if (power !== 'running') interrupt(new MachineEnded())
  }

  /** A guest's word proves nothing about the agent's lease; what is wrong with a guest stays wrong. */
  async failed(thrown: unknown): Promise<Failed | null> {
    if (this.task.interrupted.aborted) return null
    const { message } = toError(thrown)
    if (thrown instanceof InputsMissing) return { failure: { code: thrown.code, message } }
    const code = thrown instanceof GuestMisbehaved ? 'guest_misbehaved' : 'internal'
    return { failure: { code, message } }
  }

  async keepFailure({ failure }: Failed): Promise<void> {
    this.record.record = { failure, failedGeneration: this.task.order.generation }
  }

  report(phase: string, failure: Failure | null): Body {
    const shown = this.run == null || this.log?.number !== this.run.number ? [] : [this.log.shownAs(this.run)]
    return {
      phase: phase as ProcessReport['phase'],
      failure,
      runs: [...this.toldBesides(shown[0]?.number), ...shown].slice(-Math.min(toldRuns, mostReportedRuns)),
      restarts: this.run?.restarts ?? 0,
      nextRunAt: this.nextRunAt === null ? null : new Date(this.nextRunAt).toISOString(),
      journal: [...(this.log?.journalLines ?? [])],
    }
  }

  letGo(): void {
    this.release()
  }

  private processes(machine: Machine) {
    this.used ??= this.context.guests.use(machine)
    return this.used.guest.processes
  }

  private release(): void {
    this.used?.release()
    this.used = null
  }

  /** A process that is new here has no run in a guest, which need not be asked for it. */
  private async askForRun(machine: Machine): Promise<KnownRun | null> {
    const { order, interrupted } = this.task
    if (order.runs === 0 && order.request === 1 && order.desired === 'run') return null
    return this.processes(machine).newestRun(order.id, interrupted)
  }

  private toRun(number: number, restarts: number): GuestRun {
    const { order } = this.task
    const values = openValues(order, this.context.sealingKey)
    const { id, request, command, folder, user, deadlineSeconds, stopSignal, graceSeconds } = order
    const { memoryMebibytes, cpus, readiness } = order
    return {
      ...{ processId: id, number, request, restarts, command, folder, user },
      variables: givenVariables(order, values),
      ...{ limitSeconds: deadlineSeconds, stopSignal, graceSeconds, memoryMebibytes, cpus, readiness },
    }
  }

  private async bringInputs(machine: Machine): Promise<void> {
    const { order, interrupted } = this.task
    if (order.inputs.length === 0) return
    this.task.report('starting')
    this.processes(machine)
    if (this.used !== null) await this.context.inputs.bring(order.inputs, this.used.guest.inputs, interrupted)
  }

  /** Starts the run, or goes on with it, until it ends. */
  private async follow(machine: Machine, run: GuestRun): Promise<void> {
    const { task, context } = this
    const { order } = task
    const secrets = await secretAutomaton(Object.values(openValues(order, context.sealingKey)))
    if (this.log?.number !== run.number) {
      this.rememberRun()
      this.log = new RunLog(order, run.number, secrets, context)
    }
    const log = this.log
    const taskEnds = order.type === 'task' ? context.guests.taskRuns(order.environmentId) : null
    const hasEnded = this.run?.number === run.number && this.run.ending !== null
    if (!hasEnded) task.report('starting')
    try {
      const events = this.processes(machine).follow(run, log.offset, order, task.interrupted)
      for await (const event of events) {
        if (event.kind === 'output') {
          if (log.add(event.offset, event.chunk) && !hasEnded)
            task.report(log.readyAt === null ? 'starting' : 'running')
        } else if (event.kind === 'ready') {
          log.readyAt = event.at
          this.run = { ...this.startOf(run, event.at), readyAt: event.at }
          if (!hasEnded) task.report('running')
        } else {
          this.run = event.run
          this.endedAt = context.clock.now().getTime()
          log.end()
        }
      }
    } catch (thrown) {
      if (thrown instanceof StaleInGuest) throw new Error(thrown.message, { cause: thrown })
      // It runs on: the next look asks the guest.
      if (task.interrupted.aborted) this.run = undefined
      throw thrown
    } finally {
      taskEnds?.()
    }
  }

  private startOf(run: GuestRun, at: number): KnownRun {
    if (this.run != null && this.run.number === run.number) return this.run
    const { number, request, restarts } = run
    return { number, request, restarts, startedAt: at, readyAt: null, ending: null }
  }

  /** The run before, which is told beside the one that begins. */
  private rememberRun(): void {
    if (this.run == null || this.log?.number !== this.run.number) return
    this.told = [...this.toldBesides(this.run.number), this.log.shownAs(this.run)].slice(1 - toldRuns)
  }

  /**
   * Where the next run did not begin before its machine went down, the run that was told before is the newest again: it is
   * told as it was, until its log is followed anew.
   */
  private toldBesides(number: number | undefined): ReportedRun[] {
    return this.told.filter((run) => run.number !== number)
  }

  /** Its end is read where its output is followed. */
  private async stop(machine: Machine): Promise<void> {
    const { order, interrupted } = this.task
    const { run } = this
    const processes = this.processes(machine)
    await processes.stop(order.id, order, interrupted)
    if (run != null) await this.follow(machine, this.toRun(run.number, run.restarts))
    else this.run = undefined
  }
}

type Body = Omit<
  ProcessReport,
  'kind' | 'id' | 'runnerId' | 'epoch' | 'generation' | 'sequence' | 'reportedAt'
>
