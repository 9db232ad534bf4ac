export { Doorbell } from './doorbell.ts'
export { followEvents } from './follow.ts'
export {
  assignPositions,
  forgetEvents,
  goBackTo,
  markPublished,
  newestPosition,
  noteStream,
  type Publication,
  publicationOf,
  type Retention,
} from './queries.ts'
export { recordEvent, recordEvents } from './record.ts'
export { addEventRoutes } from './routes.ts'
