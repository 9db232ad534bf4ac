import { z } from 'zod'
import { pagination, uuid, uuids } from './values.ts'

/** What has a value in it has no rule here: an error of one may show what it was sent. */
export const secretRules: Readonly<Record<string, z.ZodType>> = {
  'gitpod.v1.ListSecretsRequest': z.looseObject({
    pagination,
    filter: z
      .looseObject({
        projectIds: uuids(25),
        scope: z.looseObject({ scope: z.looseObject({ value: uuid.optional() }) }).optional(),
      })
      .optional(),
  }),
}
