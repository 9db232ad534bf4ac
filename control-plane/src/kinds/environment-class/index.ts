export { environmentClasses, insertStandardClasses } from './queries.ts'
