export {
  beginJob,
  continueJob,
  continueJobs,
  insertJobs,
  type JobContinuation,
} from './queries.ts'
