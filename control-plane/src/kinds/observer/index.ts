export { keepObservers, rewindObservers } from './keep.ts'
export { addObserverRoutes } from './routes.ts'
