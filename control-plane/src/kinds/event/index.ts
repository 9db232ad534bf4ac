export { Doorbell } from './doorbell.ts'
export { followEvents } from './follow.ts'
export {
  assignPositions,
  forgetEvents,
  markPublished,
  newestPosition,
  noteStream,
  type Retention,
  unpublishedEvents,
} from './queries.ts'
export { recordEvent, recordEvents } from './record.ts'
export { addEventRoutes } from './routes.ts'
