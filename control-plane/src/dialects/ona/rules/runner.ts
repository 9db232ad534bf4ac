import { z } from 'zod'
import { orNothing, pagination, uuid, uuids } from './values.ts'

const runnerName = z.string().min(3).max(127)
const displayName = z.string().min(3).max(127)
const description = z.string().min(3).max(200)
const one = z.looseObject({ runnerId: uuid })

export const runnerRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreateRunnerRequest': z.looseObject({ name: runnerName }),
  'gitpod.v1.UpdateRunnerRequest': z.looseObject({ runnerId: uuid, name: runnerName.optional() }),
  'gitpod.v1.CreateRunnerTokenRequest': one,
  'gitpod.v1.CreateEnvironmentClassRequest': z.looseObject({
    runnerId: orNothing(uuid),
    displayName,
    description,
    configuration: z.array(z.looseObject({ key: z.string().max(64), value: z.string().max(255) })).max(20),
  }),
  'gitpod.v1.UpdateEnvironmentClassRequest': z.looseObject({
    environmentClassId: uuid,
    displayName: displayName.optional(),
    description: description.optional(),
  }),
  // What has a value in it has no rule here: an error of one may show what it was sent.
  'gitpod.v1.GetHostAuthenticationTokenRequest': z.looseObject({ id: uuid }),
  'gitpod.v1.DeleteHostAuthenticationTokenRequest': z.looseObject({ id: uuid }),
  'gitpod.v1.ListHostAuthenticationTokensRequest': z.looseObject({
    pagination,
    filter: z
      .looseObject({ runnerId: uuid.optional(), userId: uuid.optional(), subjectId: uuid.optional() })
      .optional(),
  }),
  'gitpod.v1.GetRunnerRequest': one,
  'gitpod.v1.DeleteRunnerRequest': one,
  'gitpod.v1.ListRunnersRequest': z.looseObject({
    pagination,
    filter: z.looseObject({ creatorIds: uuids(25) }).optional(),
  }),
  // Classes are of no one runner, so that clients have none to name.
  'gitpod.v1.ParseContextURLRequest': z.looseObject({
    runnerId: orNothing(uuid),
    contextUrl: z.string().min(1).max(2_048),
  }),
  'gitpod.v1.CheckAuthenticationForHostRequest': z.looseObject({
    runnerId: orNothing(uuid),
    host: z.string().min(1).max(255),
  }),
}
