import type {
  DeclaredProcesses,
  EnvironmentOrder,
  Failure,
  RepositoryProcesses,
  StepName,
  StepStatus,
} from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { KeptRecord } from '../work.ts'
import type { BindingRecord } from './binding-record.ts'
import { type EnvironmentRecord, newRecord } from './record.ts'
import { type StepEnd, type StepKeeper, StepList, type StepTimes } from './step-list.ts'

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
export class RecordKeeper implements KeptRecord, StepKeeper {
  private held: EnvironmentRecord | null = null
  private readonly list: StepList

  constructor(private readonly options: RecordKeeperOptions) {
    this.list = new StepList({
      ...options,
      read: () => this.opened().steps,
      replace: (steps) => this.replaceSteps(() => steps),
    })
  }

  get steps(): readonly StepStatus[] {
    return this.held?.steps ?? []
  }

  get declared(): RepositoryProcesses {
    return this.held?.declared ?? {}
  }

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

  /** The same for the binding. */
  replaceBinding(binding: BindingRecord): void {
    this.held = { ...this.opened(), binding }
  }

  /** The same for what the file of a repository declares. */
  declare(repository: string, processes: DeclaredProcesses): void {
    const record = this.opened()
    this.held = { ...record, declared: { ...record.declared, [repository]: processes } }
  }

  indexOf(name: StepName, repository: string | null = null): number {
    return this.opened().steps.findIndex((step) => step.name === name && step.repository === repository)
  }

  /** Index of the running step; -1 when none is running. */
  get runningIndex(): number {
    return this.held?.steps.findIndex(({ phase }) => phase === 'running') ?? -1
  }

  setStep(index: number, change: Partial<StepStatus>): StepStatus {
    return this.list.set(index, change)
  }

  beginStep(index: number): StepStatus {
    return this.list.begin(index)
  }

  endStep(index: number, end: StepEnd, times: StepTimes | null = null): void {
    this.list.end(index, end, times)
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
