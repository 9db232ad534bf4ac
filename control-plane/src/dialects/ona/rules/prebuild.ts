import { z } from 'zod'
import { orNothing, pagination, uuid, uuids, values } from './values.ts'

const seconds = z.bigint().min(300n, 'between 300 s and 7200 s').max(7_200n, 'between 300 s and 7200 s')
export const prebuildTimeout = z.looseObject({ seconds, nanos: z.literal(0) })
const id = z.looseObject({ prebuildId: uuid })
const poolId = { warmPoolId: uuid }
const sizes = {
  desiredSize: z.number().min(0).max(20).optional(),
  minSize: z.number().min(0).max(20).optional(),
  maxSize: z.number().min(1).max(20).optional(),
}

export const prebuildRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.CreatePrebuildRequest': z.looseObject({
    projectId: uuid,
    environmentClassId: orNothing(uuid).optional(),
    spec: z.looseObject({ timeout: prebuildTimeout.optional() }),
  }),
  'gitpod.v1.GetPrebuildRequest': id,
  'gitpod.v1.CancelPrebuildRequest': id,
  'gitpod.v1.DeletePrebuildRequest': id,
  'gitpod.v1.CreatePrebuildLogsTokenRequest': id,
  'gitpod.v1.ListPrebuildsRequest': z.looseObject({
    pagination,
    filter: z
      .looseObject({
        projectIds: uuids(25),
        phases: values(10),
        triggeredBy: values(5),
        creatorIds: uuids(25),
        executorIds: uuids(25),
      })
      .optional(),
  }),
  'gitpod.v1.CreateWarmPoolRequest': z.looseObject({ projectId: uuid, environmentClassId: uuid, ...sizes }),
  'gitpod.v1.GetWarmPoolRequest': z.looseObject(poolId),
  'gitpod.v1.UpdateWarmPoolRequest': z.looseObject({
    ...poolId,
    ...sizes,
    desiredSize: z.number().min(1).max(20).optional(),
  }),
  'gitpod.v1.DeleteWarmPoolRequest': z.looseObject(poolId),
  'gitpod.v1.ListWarmPoolsRequest': z.looseObject({
    pagination,
    filter: z.looseObject({ projectIds: uuids(25), environmentClassIds: uuids(25) }).optional(),
  }),
}
