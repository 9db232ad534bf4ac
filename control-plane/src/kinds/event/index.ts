export { Doorbell } from './doorbell.ts'
export { followEvents } from './follow.ts'
export { Outlet } from './outlet.ts'
export {
  type Checkpoint,
  goBackTo,
  markPublished,
  type Publication,
  publicationOf,
  recordStream,
} from './publication.ts'
export { assignPositions, newestPosition } from './queries.ts'
