import { z } from 'zod'
import { mostPoolSchedules, poolScheduleSchema } from './pool-schedule.ts'
import { poolRestSchema, poolSizeSchema, wantedShareSchema } from './pool-size.ts'
import { timeSchema } from './resource.ts'

export const mostSimulatedClaims = 10_000
export const longestSimulatedDays = 31
/** Most misses that an answer names; the others are only counted. */
export const mostNamedMisses = 1_000

/** What the pool might be set to; what is absent is as the pool has it. */
const settingsSchema = z.strictObject({
  min: poolSizeSchema.optional(),
  max: poolSizeSchema.nullable().optional(),
  running: poolSizeSchema.nullable().optional(),
  rest: poolRestSchema.optional(),
  wantedShare: wantedShareSchema.optional(),
  schedules: z.array(poolScheduleSchema).max(mostPoolSchedules).optional(),
})

export const poolSimulationCreateSchema = z
  .strictObject({
    claims: z
      .array(timeSchema)
      .min(1)
      .max(mostSimulatedClaims)
      .optional()
      .meta({
        description: `When claims came, in any order, within ${longestSimulatedDays} days; without it those that this pool had, as far as they are known`,
      }),
    settings: settingsSchema.prefault({}),
    fallback: z
      .enum(['cold', 'refuse'])
      .default('cold')
      .meta({ description: 'What a claim does that finds none: with `cold` it takes a boot slot' }),
    bootSeconds: z
      .number()
      .min(0.001)
      .max(86_400)
      .optional()
      .meta({ description: 'Instead of what was measured' }),
    bootSlots: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .meta({ description: 'Instead of those of the runners' }),
  })
  .meta({ id: 'PoolSimulationCreate' })

export const poolSimulationSchema = z
  .object({
    from: timeSchema,
    until: timeSchema,
    claims: z.int().nonnegative(),
    /** How many claims had one that ran, had to wake one, or found none. */
    met: z.object({
      running: z.int().nonnegative(),
      resting: z.int().nonnegative(),
      missed: z.int().nonnegative(),
    }),
    misses: z
      .array(timeSchema)
      .max(mostNamedMisses)
      .meta({ description: 'When claims came that found none: the first of them' }),
    sizes: z.object({
      least: z.int().nonnegative(),
      most: z.int().nonnegative(),
      changes: z.int().nonnegative(),
    }),
    cost: z.object({
      runningHours: z
        .number()
        .nonnegative()
        .meta({ description: 'Hours of machines, booting ones included' }),
      restingHours: z.number().nonnegative(),
      memoryGibibyteHours: z.number().nonnegative(),
      diskGibibyteHours: z
        .number()
        .nonnegative()
        .meta({ description: 'With the memory of those that are suspended' }),
    }),
    assumed: z.object({
      bootSeconds: z.number().positive(),
      bootSlots: z.int().positive().nullable().meta({ description: 'null for no bound' }),
      isMeasured: z.boolean().meta({ description: 'Whether bootSeconds is of machines of this pool' }),
    }),
  })
  .meta({ id: 'PoolSimulation' })
export type PoolSimulation = z.infer<typeof poolSimulationSchema>
