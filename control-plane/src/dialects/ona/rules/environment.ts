import { z } from 'zod'
import { orNothing, pagination, uuid, uuids, values } from './values.ts'

const one = z.looseObject({ environmentId: uuid })
const classes = z.looseObject({ pagination, filter: z.looseObject({ runnerIds: uuids(25) }).optional() })

export const environmentRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreateEnvironmentFromProjectRequest': z.looseObject({
    projectId: uuid,
    name: z.string().max(80).optional(),
    spec: z.looseObject({ machine: z.looseObject({ class: orNothing(uuid) }).optional() }).optional(),
  }),
  'gitpod.v1.GetEnvironmentRequest': one,
  'gitpod.v1.StartEnvironmentRequest': one,
  'gitpod.v1.StopEnvironmentRequest': one,
  'gitpod.v1.DeleteEnvironmentRequest': one,
  'gitpod.v1.MarkEnvironmentActiveRequest': one,
  'gitpod.v1.CreateEnvironmentLogsTokenRequest': one,
  'gitpod.v1.ListEnvironmentsRequest': z.looseObject({
    pagination,
    filter: z
      .looseObject({
        runnerIds: uuids(25),
        statusPhases: values(25),
        creatorIds: uuids(25),
        projectIds: uuids(25),
        roles: values(25),
        search: z.string().max(256),
        sessionIds: uuids(25),
      })
      .optional(),
  }),
  'gitpod.v1.ListEnvironmentClassesRequest': classes,
  'gitpod.v1.GetEnvironmentClassRequest': z.looseObject({ environmentClassId: uuid }),
  'gitpod.v1.WatchEventsRequest': z.looseObject({
    resourceTypeFilters: z
      .array(
        z.looseObject({
          resourceType: z.number().min(1, 'a type of resource'),
          resourceIds: uuids(25),
          creatorIds: uuids(25),
        }),
      )
      .max(50),
  }),
}
