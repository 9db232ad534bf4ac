import { z } from 'zod'
import { claimSchema, publicKeySchema } from './claim.ts'
import { environmentSchema } from './environment.ts'
import { labelsSchema } from './resource.ts'
import { snapshotSchema } from './snapshot.ts'

/** The most forks of one call. */
export const mostForks = 20

export const forkCreateSchema = z
  .strictObject({
    count: z.int().min(1).max(mostForks).default(1),
    cold: z
      .boolean()
      .default(false)
      .meta({ description: 'From the disk alone: the forks boot, and nothing that ran goes on in them' }),
    labels: labelsSchema.default({}),
    publicKey: publicKeySchema.optional().meta({ description: 'By default the key of the claim' }),
  })
  .meta({ id: 'ForkCreate' })

/** One snapshot of the machine, and for each fork a claim and an environment, in the same order. */
export const forkSchema = z
  .object({
    snapshot: snapshotSchema,
    claims: z.array(claimSchema),
    environments: z.array(environmentSchema),
  })
  .meta({ id: 'Fork' })
export type Fork = z.infer<typeof forkSchema>
