import type { StepStatus } from '@hearth/contract'
import type { BindingRecord } from './binding-record.ts'
import type { EnvironmentContext } from './environment-context.ts'
import type { RecordKeeper } from './record-keeper.ts'
import { type StepEnd, type StepKeeper, StepList, type StepTimes } from './step-list.ts'

/** The binding in the record of one environment, and its changes. */
export class BindingKeeper implements StepKeeper {
  private readonly list: StepList

  constructor(
    private readonly record: RecordKeeper,
    private held: BindingRecord,
    options: Pick<EnvironmentContext, 'clock' | 'stepEnded'>,
  ) {
    this.list = new StepList({
      ...options,
      read: () => this.held.steps,
      replace: (steps) => this.change({ steps }),
    })
    this.change({})
  }

  get binding(): BindingRecord {
    return this.held
  }

  get steps(): readonly StepStatus[] {
    return this.held.steps
  }

  get runningIndex(): number {
    return this.held.steps.findIndex(({ phase }) => phase === 'running')
  }

  /** To be kept with the next change. */
  change(change: Partial<BindingRecord>): void {
    this.held = { ...this.held, ...change }
    this.record.replaceBinding(this.held)
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

  keep(): Promise<void> {
    return this.record.keep()
  }
}
