export { keepObservers, removeEndedObservers, rewindObservers } from './keep.ts'
export { addObserverRoutes } from './routes.ts'
