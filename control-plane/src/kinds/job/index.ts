export {
  beginJob,
  continueJob,
  continueJobs,
  insertJobs,
  type JobContinuation,
  jobs,
} from './queries.ts'
export { toJob } from './table.ts'
