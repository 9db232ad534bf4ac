import { type JobPhase, jobSchema } from '@hearth/contract'
import { collection } from '../http/collection.ts'
import type { Transport } from '../http/transport.ts'

export interface JobFilter {
  resourceId?: string | undefined
  phase?: JobPhase | undefined
}

export const jobs = (transport: Transport) =>
  collection<typeof jobSchema, JobFilter>(transport, '/v1/jobs', jobSchema)
