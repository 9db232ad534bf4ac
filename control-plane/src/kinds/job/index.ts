export { beginJob, continueJob, continueJobs, forgetJobs, type JobContinuation } from './queries.ts'
export { addJobRoutes } from './routes.ts'
