export {
  beginJob,
  continueJob,
  continueJobs,
  forgetJobs,
  insertJob,
  type JobContinuation,
} from './queries.ts'
export { addJobRoutes } from './routes.ts'
