import { longestLifeSeconds } from '@hearth/contract'
import { z } from 'zod'
import { orNothing, pagination, uuid, uuids, values } from './values.ts'

const one = z.looseObject({ environmentId: uuid })
const classes = z.looseObject({ pagination, filter: z.looseObject({ runnerIds: uuids(25) }).optional() })

const leastSeconds = 1_800n
const timeout = z.looseObject({
  disconnected: z
    .looseObject({ seconds: z.bigint(), nanos: z.literal(0, 'whole seconds') })
    .refine(
      ({ seconds }) => seconds === 0n || (seconds >= leastSeconds && seconds <= BigInt(longestLifeSeconds)),
      `0s, or from ${leastSeconds}s to ${longestLifeSeconds}s`,
    )
    .optional(),
})
const port = z.number().min(1).max(65_535)
const ports = z
  .array(z.looseObject({ port: z.number().min(1_024).max(65_535), name: z.string().min(1).max(100) }))
  .max(32)
  .refine((given) => new Set(given.map((one) => one.port)).size === given.length, 'each port once')
const spec = z.looseObject({
  machine: z.looseObject({ class: orNothing(uuid) }).optional(),
  content: z
    .looseObject({ initializer: z.looseObject({ specs: z.array(z.unknown()).max(32) }).optional() })
    .optional(),
  timeout: timeout.optional(),
  sshPublicKeys: z.array(z.unknown()).max(10),
  ports,
})
const created = {
  name: z.string().max(80).optional(),
  sessionId: orNothing(uuid),
  annotations: z
    .record(z.string(), z.string())
    .refine((given) => Object.keys(given).length <= 20, 'at most 20 annotations'),
}

export const environmentRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreateEnvironmentRequest': z.looseObject({ ...created, spec: spec.optional() }),
  'gitpod.v1.CreateEnvironmentFromProjectRequest': z.looseObject({
    ...created,
    projectId: uuid,
    spec: spec.optional(),
  }),
  'gitpod.v1.UpdateEnvironmentRequest': z.looseObject({
    environmentId: uuid,
    metadata: z.looseObject({ name: z.string().min(1).max(80).optional() }).optional(),
    spec: z.looseObject({ timeout: timeout.optional(), ports }).optional(),
  }),
  'gitpod.v1.CreatePortAccessTokenRequest': z.looseObject({ environmentId: uuid, port }),
  'gitpod.v1.AllowPortAccessRequest': z.looseObject({ environmentId: uuid, port }),
  'gitpod.v1.ArchiveEnvironmentRequest': one,
  'gitpod.v1.UnarchiveEnvironmentRequest': one,
  'gitpod.v1.GetEnvironmentRequest': one,
  'gitpod.v1.StartEnvironmentRequest': one,
  'gitpod.v1.StopEnvironmentRequest': one,
  'gitpod.v1.DeleteEnvironmentRequest': one,
  'gitpod.v1.MarkEnvironmentActiveRequest': z.looseObject({
    environmentId: uuid,
    activitySignal: z.looseObject({ source: z.string().min(3).max(80) }).optional(),
  }),
  'gitpod.v1.CreateEnvironmentLogsTokenRequest': one,
  'gitpod.v1.CreateEnvironmentAccessTokenRequest': one,
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
    scope: z.looseObject({ value: z.union([uuid, z.boolean()]).optional() }),
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
