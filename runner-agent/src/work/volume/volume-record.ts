import type { Failure } from '@hearth/contract'
import type { KeptRecord } from '../work.ts'

export interface VolumeKnown {
  failure: Failure | null
  failedGeneration: number
}
const fresh: VolumeKnown = { failure: null, failedGeneration: 0 }

/** What this process knows of one volume beside what is stored: a failure, which another process may try again. */
export class VolumeRecord implements KeptRecord {
  record: VolumeKnown = fresh

  open(): VolumeKnown {
    return this.record
  }

  replace(record: object | null): void {
    this.record = record === null ? fresh : (record as VolumeKnown)
  }

  async keep(): Promise<void> {
    // Nothing is stored.
  }
}
