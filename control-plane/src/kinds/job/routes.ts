import { idSchema, jobPhaseSchema, jobSchema, listQuerySchema, listSchema } from '@hearth/contract'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams, readPage } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { findJob, listJobs } from './queries.ts'
import { toJob, toListedJob } from './table.ts'

export function addJobRoutes(application: Application, services: Services): void {
  const { database } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/jobs',
    tag: 'Jobs',
    summary: 'List slow operations and how they went',
    roles: readers,
    query: listQuerySchema.extend({ resourceId: idSchema.optional(), phase: jobPhaseSchema.optional() }),
    answer: { status: 200, schema: listSchema(jobSchema), description: 'Jobs' },
    handle: async ({ caller, query }) => {
      const { organizationId } = caller
      const read = (part: { limit: number }) => listJobs(database, { organizationId, ...query, ...part })
      return { status: 200, value: await readPage(query, read, toListedJob) }
    },
  })
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/jobs/{id}',
    tag: 'Jobs',
    summary: 'Show one operation with its log',
    roles: readers,
    params: idParams,
    answer: { status: 200, schema: jobSchema, description: 'The job' },
    handle: async ({ caller, params }) => {
      const row = await findJob(database, caller.organizationId, params.id)
      return { status: 200, value: toJob(found(row, 'job', params.id)) }
    },
  })
}
