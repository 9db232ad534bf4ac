export { keepObservers, removeEndedObservers, rewindObservers } from './keep.ts'
