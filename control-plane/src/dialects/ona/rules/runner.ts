import { z } from 'zod'
import { orNothing, pagination, uuid, uuids } from './values.ts'

const one = z.looseObject({ runnerId: uuid })

export const runnerRules: Readonly<Record<string, z.ZodType>> = {
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
