import type { EnvironmentOrder } from '@hearth/contract'
import type { Task } from '../work.ts'
import type { BootSlot } from './boot-slot.ts'
import type { EnvironmentContext } from './environment-context.ts'
import type { GuestConnection } from './guest-connection.ts'
import type { RecordKeeper } from './record-keeper.ts'

/** Objects that the steps of one environment share. */
export interface EnvironmentParts {
  task: Task<EnvironmentOrder>
  context: EnvironmentContext
  bootSlot: BootSlot
  guest: GuestConnection
  record: RecordKeeper
}
