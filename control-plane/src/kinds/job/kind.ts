import { idSchema, jobPhaseSchema, jobKind as words } from '@hearth/contract'
import type { Kind } from '../../resource/define.ts'
import { recordSince } from '../../resource/retention.ts'
import { routesOf } from '../../resource/routes.ts'
import { forgetJobs, jobs } from './queries.ts'
import { toJob, toListedJob } from './table.ts'

const routes = routesOf({
  words,
  find: jobs.find,
  show: (_, row) => toJob(row),
  showListed: (_, rows) => rows.map(toListedJob),
})

export const jobKind: Kind = {
  name: 'job',
  routes: [
    routes.list(
      { summary: 'List slow operations and how they went', description: 'Jobs' },
      { resourceId: idSchema.optional(), phase: jobPhaseSchema.optional() },
      (queryable, { resourceId, phase, ...page }) =>
        jobs.list(queryable, page, { resource_id: resourceId, phase }),
    ),
    routes.show({ summary: 'Show one operation with its log', description: 'The job' }),
  ],
  everyHour: ({ database, clock }) => forgetJobs(database, recordSince(clock.now())),
}
