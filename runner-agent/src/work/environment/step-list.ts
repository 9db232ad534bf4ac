import type { StepStatus } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'

/** Steps with their progress, as those who run them see them; indexes are theirs. */
export interface StepKeeper {
  readonly steps: readonly StepStatus[]
  setStep(index: number, change: Partial<StepStatus>): StepStatus
  /** A step that is already running keeps its start time. */
  beginStep(index: number): StepStatus
  endStep(index: number, end: StepEnd, times?: StepTimes | null): void
  /** Stores the progress. */
  keep(): Promise<void>
}

export type StepEnd = Pick<StepStatus, 'phase' | 'exitCode' | 'error'>
/** From the guest's clock, in milliseconds since 1970. */
export interface StepTimes {
  startedAt: number
  finishedAt: number
}

export interface StepListOptions {
  clock: Clock
  /** Called for every step that has ended. */
  stepEnded(step: StepStatus): void
  read(): readonly StepStatus[]
  replace(steps: StepStatus[]): void
}

/** The changes of one list of steps, wherever it is kept. */
export class StepList {
  constructor(private readonly options: StepListOptions) {}

  set(index: number, change: Partial<StepStatus>): StepStatus {
    const steps = this.options.read()
    const before = steps[index]
    if (before === undefined) throw new Error(`no step ${index} in the record`)
    const step = { ...before, ...change }
    this.options.replace(steps.with(index, step))
    if (before.finishedAt === null && step.finishedAt !== null) this.options.stepEnded(step)
    return step
  }

  begin(index: number): StepStatus {
    const step = this.options.read()[index]
    if (step?.phase === 'running') return step
    return this.set(index, { phase: 'running', startedAt: this.options.clock.now().toISOString() })
  }

  /** Without times the step ended now. */
  end(index: number, end: StepEnd, times: StepTimes | null = null): void {
    const now = this.options.clock.now().getTime()
    const began = this.options.read()[index]?.startedAt
    const startedAt = times?.startedAt ?? (began == null ? now : Date.parse(began))
    const finishedAt = times?.finishedAt ?? now
    this.set(index, {
      ...end,
      startedAt: new Date(startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMilliseconds: Math.max(0, finishedAt - startedAt),
    })
  }
}
