export {
  beginJob,
  continueJob,
  continueJobs,
  forgetJobs,
  insertJobs,
  type JobContinuation,
} from './queries.ts'
export { addJobRoutes } from './routes.ts'
