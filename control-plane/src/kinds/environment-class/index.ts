export { findEnvironmentClass, insertStandardClasses } from './queries.ts'
export { addEnvironmentClassRoutes } from './routes.ts'
