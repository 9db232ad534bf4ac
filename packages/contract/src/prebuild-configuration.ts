import { z } from 'zod'
import { prebuildScheduleSchema } from './prebuild-schedule.ts'
import { variableNameSchema } from './variables.ts'

/** From 5 minutes to 2 hours, in seconds. */
export const prebuildTimeoutSchema = z.int().min(300).max(7_200)
export const defaultPrebuildTimeoutSeconds = 3_600

/** What a project says of its prebuilds: of which classes, when, and how many are kept. */
export const prebuildConfigurationSchema = z
  .strictObject({
    classes: z
      .array(z.string().min(1).max(63))
      .min(1)
      .max(16)
      .refine((names) => new Set(names).size === names.length, 'each class once')
      .meta({ description: 'The environment classes, by name or id, that prebuilds are made for' }),
    schedule: prebuildScheduleSchema.optional(),
    push: z.boolean().default(false).meta({
      description: 'Whether a push to a branch of the project makes prebuilds; needs webhookSecret',
    }),
    webhookSecret: variableNameSchema
      .optional()
      .meta({ description: 'The secret with which the git server signs what it sends' }),
    timeoutSeconds: prebuildTimeoutSchema.default(defaultPrebuildTimeoutSeconds),
    incremental: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether a prebuild starts from the last good one, where there is one' }),
    keep: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .meta({ description: 'How many completed ones of each class are kept; the oldest go first' }),
  })
  .refine(({ push, webhookSecret }) => !push || webhookSecret !== undefined, {
    message: 'is needed for push: without it anybody could send one',
    path: ['webhookSecret'],
  })
export type PrebuildConfiguration = z.infer<typeof prebuildConfigurationSchema>
