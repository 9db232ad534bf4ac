export { Doorbell } from './doorbell.ts'
export { followEvents } from './follow.ts'
export {
  type Checkpoint,
  goBackTo,
  markPublished,
  noteStream,
  type Publication,
  publicationOf,
} from './publication.ts'
export { assignPositions, newestPosition } from './queries.ts'
