export { changeEnvironmentClass, createEnvironmentClass } from './commands.ts'
export { environmentClasses, insertStandardClasses } from './queries.ts'
export { type EnvironmentClassRow, toEnvironmentClass } from './table.ts'
