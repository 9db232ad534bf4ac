import type { KeptRecord } from '../work.ts'
import type { SnapshotRecord } from './next-step.ts'

const fresh: SnapshotRecord = {
  failure: null,
  failedGeneration: 0,
  failedGrant: null,
  isSearched: false,
  keptBy: null,
  unflattened: null,
}

/**
 * What this process knows of one layer. Nothing of it is stored: a layer stands on the host or does not, and another
 * process that tries again what failed does no harm.
 */
export class LayerRecord implements KeptRecord {
  record: SnapshotRecord = fresh

  open(): SnapshotRecord {
    return this.record
  }

  replace(record: object | null): void {
    this.record = record === null ? fresh : (record as SnapshotRecord)
  }

  change(change: Partial<SnapshotRecord>): void {
    this.record = { ...this.record, ...change }
  }

  async keep(): Promise<void> {
    // Nothing is stored.
  }
}
