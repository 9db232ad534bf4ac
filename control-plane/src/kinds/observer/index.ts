export { keepObservers } from './keep.ts'
export { addObserverRoutes } from './routes.ts'
