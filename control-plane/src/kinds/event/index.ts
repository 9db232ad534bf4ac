export { Doorbell, followEvents } from './follow.ts'
export {
  eventsAfter,
  forgetEvents,
  markPublished,
  newestPosition,
  placeEvents,
  unpublishedEvents,
} from './queries.ts'
export { recordEvent, recordEvents, recordJobEvent } from './record.ts'
export { addEventRoutes } from './routes.ts'
