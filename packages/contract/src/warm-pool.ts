import { z } from 'zod'
import { commandInputSchema, commandSchema } from './provisioning-plan.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

const size = z.int().min(0).max(1_000)

export const warmPoolSpecSchema = z.object({
  projectId: idSchema,
  environmentClassId: idSchema,
  enabled: z.boolean(),
  min: size.meta({ description: 'How many unclaimed machines are kept ready' }),
  setup: z.array(commandSchema).meta({ description: 'Commands of the step warm_pool_setup' }),
})
export type WarmPoolSpec = z.infer<typeof warmPoolSpecSchema>

export const warmPoolPhaseSchema = z.enum(['filling', 'ready', 'disabled', 'failed', 'deleting'])
export type WarmPoolPhase = z.infer<typeof warmPoolPhaseSchema>

/** After this many boots of one configuration have failed in a row, the pool stops and says why. */
export const bootAttempts = 3

export const warmPoolStatusSchema = z.object({
  phase: warmPoolPhaseSchema,
  ready: z.int().nonnegative(),
  provisioning: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  claimed: z.int().nonnegative(),
  consecutiveFailures: z.int().nonnegative(),
  retryAt: timeSchema.nullable(),
  ...statusFields,
})
export type WarmPoolStatus = z.infer<typeof warmPoolStatusSchema>
export const warmPoolSchema = resourceSchema('WarmPool', warmPoolSpecSchema, warmPoolStatusSchema).meta({
  id: 'WarmPool',
})
export type WarmPool = z.infer<typeof warmPoolSchema>

export const warmPoolCreateSchema = z
  .strictObject({
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      projectId: idSchema,
      environmentClassId: idSchema,
      enabled: z.boolean().default(true),
      min: size.default(1),
      setup: z.array(commandInputSchema).max(64).default([]),
    }),
  })
  .meta({ id: 'WarmPoolCreate' })
export const warmPoolUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        enabled: z.boolean().optional(),
        min: size.optional(),
        setup: z.array(commandInputSchema).max(64).optional(),
      })
      .optional(),
  })
  .meta({ id: 'WarmPoolUpdate' })
