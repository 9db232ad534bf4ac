import type { Failure } from '@hearth/contract'
import type { KeptRecord } from '../work.ts'

export interface StoredFailure {
  failure: Failure
  failedGeneration: number
}

/** The failure of this process of the agent; the next one looks into the guest again, which says all else. */
export class ProcessRecord implements KeptRecord {
  record: StoredFailure | null = null

  open(): object {
    return this.record ?? {}
  }

  replace(record: object | null): void {
    this.record = record === null || !('failure' in record) ? null : (record as StoredFailure)
  }

  async keep(): Promise<void> {
    // Nothing is stored.
  }
}
