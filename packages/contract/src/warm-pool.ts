import { z } from 'zod'
import { environmentSchema } from './environment.ts'
import { defineKind, rests } from './kind-definition.ts'
import { lifeSpecSchema } from './life.ts'
import { mostPoolSchedules, poolScheduleSchema } from './pool-schedule.ts'
import { poolRestSchema, poolSizeSchema, wantedShareSchema } from './pool-size.ts'
import { branchSchema, commandInputSchema, commandSchema } from './provisioning-plan.ts'
import { quotaShortageSchema } from './quota.ts'
import {
  idSchema,
  labelsSchema,
  listQuerySchema,
  resourceSchema,
  statusFields,
  timeSchema,
} from './resource.ts'

/** Up to a year. */
export const maxAgeMinutesSchema = z.int().min(1).max(525_600)

export const warmPoolSpecSchema = z.object({
  projectId: idSchema,
  environmentClassId: idSchema,
  enabled: z.boolean(),
  min: poolSizeSchema.meta({ description: 'How many unclaimed environments are kept, at least' }),
  max: poolSizeSchema.nullable().default(null).meta({
    description: 'How many are kept at most when many are claimed; null for as many as min',
  }),
  running: poolSizeSchema
    .nullable()
    .default(null)
    .meta({ description: 'How many of them run; the others wait as `rest` says. Null for all' }),
  rest: poolRestSchema.default('suspended').meta({
    description:
      'How those wait that do not run: `suspended` (memory kept), `stopped`, or `resumable` (no machine, but the memory of a prebuild)',
  }),
  wantedShare: wantedShareSchema.default(0.99).meta({
    description: 'Share of claims for which an environment is to be there at once; between min and max',
  }),
  schedules: z.array(poolScheduleSchema).default([]).meta({ description: 'Times with other bounds' }),
  branch: z
    .string()
    .nullable()
    .meta({ description: 'Cloned instead of the branches the project names; null for those' }),
  maxAgeMinutes: maxAgeMinutesSchema
    .nullable()
    .meta({ description: 'A member that has been ready for longer is replaced; null for never' }),
  setup: z.array(commandSchema).meta({ description: 'Commands of the step warm_pool_setup' }),
  life: lifeSpecSchema.default({}).meta({ description: 'Of its environments once they are claimed' }),
})
export type WarmPoolSpec = z.infer<typeof warmPoolSpecSchema>

export const warmPoolPhaseSchema = z
  .enum(['filling', 'ready', 'cleared', 'disabled', 'failed', 'deleting'])
  .meta({ description: '`cleared`: emptied, and left so until it is enabled again or changed' })
export type WarmPoolPhase = z.infer<typeof warmPoolPhaseSchema>

/** After this many boots of one configuration have failed in a row, the pool stops and says why. */
export const bootAttempts = 3

/** What the wanted size of a pool was reckoned from. */
export const poolScalingSchema = z.object({
  claimsPerMinute: z.number().nonnegative(),
  /** The most claims within one refill, in the last hour. */
  burst: z.int().nonnegative(),
  refillSeconds: z.number().nonnegative(),
  reason: z.string(),
  at: timeSchema,
})
export type PoolScaling = z.infer<typeof poolScalingSchema>

export const warmPoolStatusSchema = z.object({
  phase: warmPoolPhaseSchema,
  ready: z.int().nonnegative().meta({ description: 'Members that a claim could take now' }),
  provisioning: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  claimed: z.int().nonnegative(),
  suspended: z.int().nonnegative().default(0),
  stopped: z.int().nonnegative().default(0),
  resumable: z.int().nonnegative().default(0).meta({
    description: 'How many more could start from the memory of a prebuild, without a machine that waits',
  }),
  desiredSize: z.int().nonnegative().default(0).meta({
    description: 'How many unclaimed environments it wants now, between min and max',
  }),
  scaling: poolScalingSchema.nullable().default(null).meta({ description: 'Why it wants so many' }),
  consecutiveFailures: z.int().nonnegative(),
  retryAt: timeSchema.nullable(),
  uncheckedBranch: z.string().nullable().meta({
    description: 'In which repositories the pool’s branch could not be checked, and why; null when all were',
  }),
  lack: z.string().nullable().default(null).meta({
    description: 'What a runner lacks to run members at rest that should run; null while none does',
  }),
  quota: quotaShortageSchema.nullable().meta({
    description: 'What keeps it from making the environments it lacks; null while no quota does',
  }),
  ...statusFields,
})
export type WarmPoolStatus = z.infer<typeof warmPoolStatusSchema>
export const warmPoolSchema = resourceSchema('WarmPool', warmPoolSpecSchema, warmPoolStatusSchema).meta({
  id: 'WarmPool',
})
export type WarmPool = z.infer<typeof warmPoolSchema>

const schedulesSchema = z.array(poolScheduleSchema).max(mostPoolSchedules)

/** Where the members of a pool wait, and how many it may have, as left out. */
export const poolTierDefaults = {
  max: poolSizeSchema.nullable().default(null),
  running: poolSizeSchema.nullable().default(null),
  rest: poolRestSchema.default('suspended'),
  wantedShare: wantedShareSchema.default(0.99),
  schedules: schedulesSchema.default([]),
}

export const warmPoolCreateSchema = z
  .strictObject({
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      projectId: idSchema,
      environmentClassId: idSchema,
      enabled: z.boolean().default(true),
      min: poolSizeSchema.default(1),
      ...poolTierDefaults,
      branch: branchSchema.nullable().default(null),
      maxAgeMinutes: maxAgeMinutesSchema.nullable().default(null),
      setup: z.array(commandInputSchema).max(64).default([]),
      life: lifeSpecSchema.default({}),
    }),
  })
  .meta({ id: 'WarmPoolCreate' })
export const warmPoolUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        enabled: z.boolean().optional(),
        min: poolSizeSchema.optional(),
        max: poolSizeSchema.nullable().optional(),
        running: poolSizeSchema.nullable().optional(),
        rest: poolRestSchema.optional(),
        wantedShare: wantedShareSchema.optional(),
        schedules: schedulesSchema.optional(),
        branch: branchSchema.nullable().optional(),
        maxAgeMinutes: maxAgeMinutesSchema.nullable().optional(),
        setup: z.array(commandInputSchema).max(64).optional(),
        life: lifeSpecSchema.optional(),
      })
      .optional(),
  })
  .meta({ id: 'WarmPoolUpdate' })

export const warmPoolClearSchema = z
  .strictObject({
    replenish: z
      .boolean()
      .default(false)
      .meta({ description: 'Fill it anew; otherwise it stays empty until it is enabled again or changed' }),
  })
  .meta({ id: 'WarmPoolClear' })

export const warmPoolTestCreateSchema = z
  .strictObject({
    keepSeconds: z
      .int()
      .min(1)
      .max(604_800)
      .default(1_800)
      .meta({ description: 'How long the environment stays once its steps have ended' }),
  })
  .meta({ id: 'WarmPoolTestCreate' })

/** `unavailable`: on its way to rest, taken out to be looked into, or its runner is silent. */
export const instanceStateSchema = z.enum([
  'provisioning',
  'ready',
  'suspended',
  'stopped',
  'failed',
  'claimed',
  'unavailable',
  'removing',
  'removed',
])
export type InstanceState = z.infer<typeof instanceStateSchema>

/** A machine that was made for a pool: one of its members, one claimed from it, or one that tests its steps. */
export const warmPoolInstanceSchema = z
  .object({
    state: instanceStateSchema,
    purpose: z.enum(['pool', 'claim', 'test', 'inspection']).meta({
      description:
        'What it is for: to be a member, for a claim that found none, as a test, or taken out of the pool to be looked into',
    }),
    current: z.boolean().meta({ description: 'Made from what the pool now says' }),
    claimedAt: timeSchema.nullable(),
    environment: environmentSchema,
  })
  .meta({ id: 'WarmPoolInstance' })
export type WarmPoolInstance = z.infer<typeof warmPoolInstanceSchema>

export const instanceQuerySchema = listQuerySchema.extend({
  state: instanceStateSchema.optional().meta({ description: 'By default all but removed ones' }),
})

export const warmPoolKind = defineKind({
  kind: 'WarmPool',
  schema: warmPoolSchema,
  summary: 'ready environments kept for a project and a class',
  aliases: ['pool', 'pools'],
  shortNoun: 'pool',
  hasEvents: true,
  isExplained: true,
  waits: {
    filling: {
      waitsFor: 'its environments to be ready',
      deadlineSeconds: null,
      because: `each environment has its own deadlines, and after ${bootAttempts} failures in a row the pool stops and says why`,
    },
    ready: rests,
    cleared: rests,
    disabled: rests,
    failed: rests,
    deleting: {
      waitsFor: 'its unclaimed environments to be let go',
      deadlineSeconds: null,
      because: 'it only asks for their deletion, which waits for nobody; each deletion has its own deadline',
    },
  },
  tones: { ready: 'good', failed: 'bad', cleared: 'quiet', disabled: 'quiet' },
})
