export { observers } from './queries.ts'
