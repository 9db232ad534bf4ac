export { beginJob, continueJob, forgetJobs } from './queries.ts'
export { addJobRoutes } from './routes.ts'
