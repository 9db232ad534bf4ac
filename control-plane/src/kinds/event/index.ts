export { Doorbell } from './doorbell.ts'
export { followEvents } from './follow.ts'
export {
  type Checkpoint,
  forgetCheckpoints,
  goBackTo,
  markPublished,
  noteStream,
  type Publication,
  publicationOf,
} from './publication.ts'
export { assignPositions, forgetEvents, newestPosition, type Retention } from './queries.ts'
