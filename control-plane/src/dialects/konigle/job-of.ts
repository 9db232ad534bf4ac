import { jobs } from '../../kinds/job/index.ts'

export type Queryable = Parameters<typeof jobs.list>[0]

/** The id of the newest job of a resource. */
export async function jobIdOf(
  queryable: Queryable,
  { organization_id: organizationId, id: resource_id }: { organization_id: string; id: string },
): Promise<string> {
  const [job] = await jobs.list(queryable, { organizationId, limit: 1, newestFirst: true }, { resource_id })
  if (job === undefined) throw new Error(`${resource_id} was made without a job`)
  return job.id
}
