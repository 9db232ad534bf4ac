import { type EnvironmentOrder, type Failure, type StepStatus, stepKey } from '@hearth/contract'
import { type Clock, Deadline } from '@hearth/foundation'
import { type Guest, type GuestStep, GuestUnreachable, type StepOutcome } from '../../guest/guest.ts'
import { type Authority, StaleAuthority } from '../../host/authority.ts'
import { isScriptStep } from './guest-steps.ts'
import { MachineEnded } from './machine-ended.ts'
import type { StepKeeper } from './step-list.ts'
import type { StepOutput } from './step-output.ts'
import { Turns } from './turns.ts'

/** Extra time the agent waits beyond the guest's own limit for the guest to report the timeout. */
const graceSeconds = 60

/** The scripts of steps, and what their failures say. */
export interface StepScripts {
  /** The script as far as it is known before it is prepared. */
  planned(status: StepStatus): GuestStep
  /** Writes the files that the steps need into the guest, and builds their scripts; those marked also sync the disk. */
  prepare(steps: readonly { status: StepStatus; syncs: boolean }[], signal: AbortSignal): Promise<GuestStep[]>
  failure(
    status: StepStatus,
    step: GuestStep,
    outcome: Extract<StepOutcome, { kind: 'failed' | 'lost' }>,
    lastLines: string[],
  ): Failure
}

export interface ScriptRunContext {
  order: EnvironmentOrder
  authority: Authority
  guest: Guest
  keeper: StepKeeper
  scripts: StepScripts
  clock: Clock
  /** Aborts when the current step is interrupted. */
  interrupted: AbortSignal
  openLog(index: number, status: StepStatus): StepOutput
  report(): void
}

export type ScriptRunResult =
  | { kind: 'succeeded' }
  | { kind: 'failed'; index: number; failure: Failure; exitCode: number | null }
  | { kind: 'interrupted' }

/**
 * The steps, from the one at `index` on, that the guest may run in one sequence: the clones, or everything after
 * them, since a repository's hooks are only known once it is cloned.
 */
export function scriptRun(steps: readonly StepStatus[], index: number): number[] {
  const clones = steps[index]?.name === 'clone_repo'
  return steps.flatMap((step, at) => {
    const open = step.phase === 'pending' || step.phase === 'running'
    const belongs = isScriptStep(step) && (step.name === 'clone_repo') === clones
    return at >= index && open && belongs ? [at] : []
  })
}

/** Runs these steps until the last one has ended or one fails. */
export async function runScripts(
  indexes: readonly number[],
  context: ScriptRunContext,
): Promise<ScriptRunResult> {
  const run = new ScriptRun(indexes, context)
  try {
    return await run.take()
  } catch (thrown) {
    if (thrown instanceof StaleAuthority) throw thrown
    if (context.interrupted.aborted) {
      run.leave()
      return { kind: 'interrupted' }
    }
    if (!run.isOverdue && !(thrown instanceof GuestUnreachable)) throw thrown
    return run.overdue(thrown)
  } finally {
    run.end()
  }
}

class ScriptRun {
  private readonly cutOff = new AbortController()
  private readonly turns = new Turns()
  private position = -1
  private output: StepOutput | null = null
  private deadline: Deadline | null = null
  private steps: readonly GuestStep[] = []

  constructor(
    private readonly indexes: readonly number[],
    private readonly context: ScriptRunContext,
  ) {}

  get isOverdue(): boolean {
    return this.deadline?.hasPassed === true
  }

  async take(): Promise<ScriptRunResult> {
    const { guest, order, authority } = this.context
    this.begin()
    await this.context.keeper.keep()
    this.context.report()
    await authority.assertHeld()
    this.steps = await this.prepare()
    this.arm()
    for await (const event of guest.runSteps(this.steps, order, this.cutOff.signal)) {
      if (event.kind === 'output') {
        this.output?.add(event.chunk)
        await this.turns.spend(event.chunk.length)
      } else {
        const failed = await this.settle(event.outcome)
        if (failed !== null) return failed
      }
    }
    return { kind: 'succeeded' }
  }

  /** The failure of a step that exceeded its time limit. */
  overdue(thrown: unknown): ScriptRunResult {
    const { name, repository } = this.status
    const seconds = this.limitSeconds()
    const why = thrown instanceof GuestUnreachable ? `: ${thrown.message}` : ''
    const message = `${stepKey({ name, repository })} was not over after ${seconds} s${why}`
    const lastLines = this.output?.lastLines ?? []
    this.closeLog()
    return {
      kind: 'failed',
      index: this.index,
      exitCode: null,
      failure: { code: 'deadline_passed', message, step: name, lastLines },
    }
  }

  /** After the machine has ended there is nothing more to report; otherwise the next run continues from here. */
  leave(): void {
    if (this.context.interrupted.reason instanceof MachineEnded) this.closeLog()
  }

  end(): void {
    this.deadline?.[Symbol.dispose]()
  }

  private prepare(): Promise<GuestStep[]> {
    // The machine is ready after the last step and must then keep its files even after a power cut.
    const last = this.context.keeper.steps.findLastIndex(
      ({ phase }) => phase === 'pending' || phase === 'running',
    )
    const steps = this.indexes.map((index) => ({ status: this.statusAt(index), syncs: index === last }))
    return this.context.scripts.prepare(steps, this.cutOff.signal)
  }

  /** Moves to the next step: the guest has already started it. */
  private begin(): void {
    this.position += 1
    const status = this.context.keeper.beginStep(this.index)
    this.output = this.context.openLog(this.index, status)
    this.arm()
  }

  private arm(): void {
    const { clock, interrupted } = this.context
    const status = this.status
    this.deadline?.[Symbol.dispose]()
    const began = status.startedAt === null ? clock.now().getTime() : Date.parse(status.startedAt)
    const left = Math.max(1, began + this.limitSeconds() * 1000 - clock.now().getTime())
    const deadline = new Deadline(left, interrupted)
    deadline.signal.addEventListener('abort', () => this.cutOff.abort(deadline.signal.reason), { once: true })
    if (deadline.signal.aborted) this.cutOff.abort(deadline.signal.reason)
    this.deadline = deadline
  }

  /** Records the outcome of the current step and begins the next; returns the result when the step failed. */
  private async settle(outcome: StepOutcome): Promise<ScriptRunResult | null> {
    const { keeper, report } = this.context
    const lastLines = this.output?.lastLines ?? []
    this.closeLog()
    if (outcome.kind === 'failed' || outcome.kind === 'lost') {
      const failure = this.context.scripts.failure(this.status, this.step, outcome, lastLines)
      const exitCode = outcome.kind === 'failed' ? outcome.exitCode : null
      return { kind: 'failed', index: this.index, failure, exitCode }
    }
    const exitCode = outcome.kind === 'succeeded' ? 0 : null
    keeper.endStep(this.index, { phase: outcome.kind, exitCode, error: null }, outcome.times)
    if (this.position + 1 < this.indexes.length) this.begin()
    await keeper.keep()
    report()
    return null
  }

  private closeLog(): void {
    const { output } = this
    if (output === null) return
    output.end()
    this.context.keeper.setStep(this.index, { output: output.shown, outputBytes: output.bytes })
  }

  private limitSeconds(): number {
    return this.step.limitSeconds + graceSeconds
  }

  /** The script as prepared; before that, what is known of it without the repository. */
  private get step(): GuestStep {
    return this.steps[this.position] ?? this.context.scripts.planned(this.status)
  }

  private get index(): number {
    return this.indexes[this.position] ?? -1
  }

  private get status(): StepStatus {
    return this.statusAt(this.index)
  }

  private statusAt(index: number): StepStatus {
    const status = this.context.keeper.steps[index]
    if (status === undefined) throw new Error(`there is no step ${index}`)
    return status
  }
}
