import type { EnvironmentOrder, Failure, StepName, StepStatus } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { KeptRecord } from '../work.ts'
import { type EnvironmentRecord, newRecord } from './record.ts'

export interface RecordKeeperOptions {
  clock: Clock
  /** The order with which provisioning begins. */
  begun(): Pick<EnvironmentOrder, 'generation' | 'plan' | 'source'>
  /** Stores the record beside the machine. */
  write(text: string): Promise<void>
  /** Called for every step that has ended. */
  stepEnded(step: StepStatus): void
}

/** The record of one environment as this process knows it, and its changes. */
export class RecordKeeper implements KeptRecord {
  private held: EnvironmentRecord | null = null

  constructor(private readonly options: RecordKeeperOptions) {}

  get record(): EnvironmentRecord | null {
    return this.held
  }

  /** Record read from the host, or null when it was removed. */
  replace(record: EnvironmentRecord | null): void {
    this.held = record
  }

  /** The record; a new one when provisioning begins. */
  open(): EnvironmentRecord {
    if (this.held === null) {
      const { generation, plan, source } = this.options.begun()
      this.held = newRecord(generation, plan, source)
    }
    return this.held
  }

  async keep(change: Partial<Omit<EnvironmentRecord, 'steps'>> = {}): Promise<void> {
    this.held = { ...this.opened(), ...change }
    await this.options.write(JSON.stringify(this.held))
  }

  /** Other steps in place of those of the record, to be kept with the next change. */
  replaceSteps(change: (steps: readonly StepStatus[]) => StepStatus[]): void {
    const record = this.opened()
    this.held = { ...record, steps: change(record.steps) }
  }

  indexOf(name: StepName, repository: string | null = null): number {
    return this.opened().steps.findIndex((step) => step.name === name && step.repository === repository)
  }

  /** Index of the running step; -1 when none is running. */
  get runningIndex(): number {
    return this.held?.steps.findIndex(({ phase }) => phase === 'running') ?? -1
  }

  setStep(index: number, change: Partial<StepStatus>): StepStatus {
    const record = this.opened()
    const before = record.steps[index]
    if (before === undefined) throw new Error(`no step ${index} in the record`)
    const step = { ...before, ...change }
    this.held = { ...record, steps: record.steps.with(index, step) }
    if (before.finishedAt === null && step.finishedAt !== null) this.options.stepEnded(step)
    return step
  }

  /** A step that is already running keeps its start time. */
  beginStep(index: number): StepStatus {
    const step = this.opened().steps[index]
    if (step?.phase === 'running') return step
    return this.setStep(index, { phase: 'running', startedAt: this.options.clock.now().toISOString() })
  }

  /** `times` come from the guest's clock, in milliseconds since 1970; without them the step ended now. */
  endStep(
    index: number,
    end: Pick<StepStatus, 'phase' | 'exitCode' | 'error'>,
    times: { startedAt: number; finishedAt: number } | null = null,
  ): void {
    const now = this.options.clock.now().getTime()
    const began = this.opened().steps[index]?.startedAt
    const startedAt = times?.startedAt ?? (began == null ? now : Date.parse(began))
    const finishedAt = times?.finishedAt ?? now
    this.setStep(index, {
      ...end,
      startedAt: new Date(startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMilliseconds: Math.max(0, finishedAt - startedAt),
    })
  }

  /** Records the failure, and marks the step at `index`, if any, as failed. */
  async fail(failure: Failure, generation: number, index: number, exitCode: number | null): Promise<void> {
    if (index >= 0) this.endStep(index, { phase: 'failed', exitCode, error: failure.message })
    await this.keep({ failure, failedGeneration: generation })
  }

  private opened(): EnvironmentRecord {
    if (this.held === null) throw new Error('there is no record to change')
    return this.held
  }
}
