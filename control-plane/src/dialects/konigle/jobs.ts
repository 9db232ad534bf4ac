import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { jobs, toJob as toNativeJob } from '../../kinds/job/index.ts'
import { konigleErrors } from './error.ts'
import { idOf, params } from './ids.ts'
import { mostListed, pageOf, pageSchema, pagingSchema } from './paging.ts'
import { jobSchema, toJob } from './translate.ts'

const tag = 'Jobs'

export function addJobRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/jobs',
      tag,
      summary: 'List jobs, the newest first',
      roles: readers,
      query: pagingSchema,
      answer: { status: 200, schema: pageSchema(jobSchema), description: 'A page of jobs' },
      handle: async ({ caller: { organizationId }, query }) => {
        const rows = await jobs.list(database, { organizationId, limit: mostListed, newestFirst: true })
        return { status: 200, value: pageOf(rows, query, (row) => toJob(toNativeJob(row))) }
      },
    },
    konigleErrors,
  )
  addEndpoint(
    application,
    services,
    {
      method: 'get',
      path: '/jobs/{id}',
      tag,
      summary: 'Show a job with its log: poll it until its status is success or failed',
      roles: readers,
      params,
      answer: { status: 200, schema: jobSchema, description: 'The job' },
      handle: async ({ caller, params: { id } }) => {
        const uuid = idOf(id)
        const row = found(uuid === null ? undefined : await jobs.find(database, caller, uuid), 'job', id)
        return { status: 200, value: toJob(toNativeJob(row)) }
      },
    },
    konigleErrors,
  )
}
