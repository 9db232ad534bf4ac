import type { SnapshotOrder } from '@hearth/contract'
import type { Logger } from 'pino'
import type { Layers } from '../../host/layers.ts'
import type { Task } from '../work.ts'
import type { Grants } from './copy/grants.ts'

/** What the work on every layer needs. */
export interface SnapshotContext {
  layers: Layers
  /** PEM of the key that is opened with what was sealed to this runner. */
  sealingKey: string
  grants: Grants
  /** Copies the layer of the task's order from another runner, or goes on with it. */
  copy(task: Task<SnapshotOrder>, progress: (doneBytes: number, totalBytes: number) => void): Promise<void>
  log: Logger
  /** Monotonic clock, in milliseconds. */
  now(): number
}
