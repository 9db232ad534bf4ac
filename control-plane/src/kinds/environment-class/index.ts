export { environmentClasses, insertStandardClasses } from './queries.ts'
export type { EnvironmentClassRow } from './table.ts'
