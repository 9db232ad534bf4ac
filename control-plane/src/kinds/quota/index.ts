export { poolsThatWait, readLimits } from './queries.ts'
export { describeUsed } from './refusal.ts'
export {
  type Accounts,
  requireHeld,
  requireResource,
  requireRoomForMachine,
  requireRoomToStart,
  takeRoom,
} from './require.ts'
export type { MachineSize } from './room.ts'
