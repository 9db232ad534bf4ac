import { z } from 'zod'
import { deletionSchema } from './deletion.ts'
import {
  desiredPhaseSchema,
  type EnvironmentPhase,
  environmentPhaseSchema,
  environmentPhases,
  environmentPhaseTable,
} from './environment-phase.ts'
import { defineKind, rests, type Wait } from './kind-definition.ts'
import { lifeSpecSchema, lifeStatusSchema } from './life.ts'
import { provisioningPlanSchema } from './provisioning-plan.ts'
import { provisioningSummarySchema, stepStatusSchema } from './provisioning-step.ts'
import { idSchema, labelsSchema, nameSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { restartsSchema, resumedSchema, startedFromSchema } from './started-from.ts'

export const addressSchema = z.object({
  host: z.string(),
  port: z.int().min(1).max(65_535),
  user: z.string(),
  hostKey: z.string().meta({ description: 'OpenSSH public key the guest answers with: pin it' }),
})
export type Address = z.infer<typeof addressSchema>

/** What makes a machine itself, read from inside its guest and checked before it is `running`. */
export const identitySchema = z.object({
  machineId: z.string(),
  hostname: z.string(),
  hostKeyMatches: z.boolean(),
  randomSeedFresh: z.boolean(),
  clockOffsetMilliseconds: z.number(),
  checkedAt: timeSchema,
})
export type Identity = z.infer<typeof identitySchema>

/** Why the hypervisor has paused a guest: a failed write to its disk, somebody on the host, or another cause. */
export const pauseReasonSchema = z.enum(['io_error', 'suspended', 'other'])
export type PauseReason = z.infer<typeof pauseReasonSchema>
export const pauseSchema = z.object({
  reason: pauseReasonSchema,
  since: timeSchema.meta({ description: 'When its runner first saw it' }),
})
export type Pause = z.infer<typeof pauseSchema>

export const environmentSpecSchema = z.object({
  desiredPhase: desiredPhaseSchema,
  projectId: idSchema,
  environmentClassId: idSchema,
  warmPoolId: idSchema.nullable(),
  test: z
    .object({ warmPoolId: idSchema, keepSeconds: z.int().positive() })
    .nullable()
    .meta({ description: 'Set for an environment that tests the steps of a pool; it is no member of it' }),
  inspection: z
    .object({ warmPoolId: idSchema, keepSeconds: z.int().positive() })
    .nullable()
    .default(null)
    .meta({
      description: 'Set for an environment that an administrator took out of its pool to look into it',
    }),
  prebuildId: idSchema
    .nullable()
    .default(null)
    .meta({ description: 'Set for an environment that a prebuild is built on, and for a template of one' }),
  source: z.object({ snapshotId: idSchema, memory: z.boolean() }).nullable().default(null).meta({
    description: 'The snapshot it starts from, and whether its memory is asked for; null for its image',
  }),
  planDigest: z.string().optional().meta({
    description: 'The same for environments that were made alike: the start of the SHA-256 of the plan',
  }),
  plan: provisioningPlanSchema
    .optional()
    .meta({ description: 'Where one environment is shown; lists and events name it by its digest' }),
})
export type EnvironmentSpec = z.infer<typeof environmentSpecSchema>

export const environmentStatusSchema = z.object({
  phase: environmentPhaseSchema,
  runnerId: idSchema.nullable(),
  claimId: idSchema.nullable(),
  unreachable: z.boolean().meta({ description: 'Its runner is silent; the phase is the last one seen' }),
  paused: pauseSchema
    .nullable()
    .default(null)
    .meta({ description: 'Set while the guest stands still on its host: no claim gets it' }),
  address: addressSchema.nullable(),
  identity: identitySchema.nullable(),
  steps: z.array(stepStatusSchema),
  summary: provisioningSummarySchema,
  placement: z.string().nullable().meta({ description: 'Why it is where it is, or why nowhere yet' }),
  startedFrom: startedFromSchema.nullable().default(null).meta({
    description: 'What it really started from, and why not from what would have been quicker',
  }),
  resumed: resumedSchema
    .nullable()
    .default(null)
    .meta({ description: 'How it last went on after it was suspended' }),
  restarts: restartsSchema
    .nullable()
    .default(null)
    .meta({ description: 'How often it was started again after a crash, and why the last time' }),
  readyAt: timeSchema.nullable(),
  removeAt: timeSchema.nullable().meta({
    description:
      'When a test environment or an inspected one is removed; a certificate asked for puts it off by its keep time',
  }),
  life: lifeStatusSchema.nullable().default(null).meta({
    description: 'When it ends; null where it has no end, as what nobody has claimed',
  }),
  deletion: deletionSchema.nullable().default(null).meta({ description: 'Why it is to be deleted' }),
  ...statusFields,
})
export type EnvironmentStatus = z.infer<typeof environmentStatusSchema>
export const environmentSchema = resourceSchema(
  'Environment',
  environmentSpecSchema,
  environmentStatusSchema,
).meta({
  id: 'Environment',
})
export type Environment = z.infer<typeof environmentSchema>

export const environmentCreateSchema = z
  .strictObject({
    name: nameSchema.optional(),
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      projectId: idSchema,
      environmentClassId: idSchema,
      source: z
        .strictObject({ snapshotId: idSchema, memory: z.boolean().default(true) })
        .optional()
        .meta({
          description: 'A snapshot of the same project to start from, with its memory where that fits',
        }),
      life: lifeSpecSchema.optional(),
    }),
  })
  .meta({ id: 'EnvironmentCreate' })
export const environmentUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        desiredPhase: z.enum(['running', 'stopped', 'suspended']).optional(),
        life: lifeSpecSchema.optional().meta({ description: 'What is left out stays as it is' }),
      })
      .optional(),
  })
  .meta({ id: 'EnvironmentUpdate' })

const environmentWaits = Object.fromEntries(
  environmentPhases.map((phase) => {
    const { waitsFor, deadlineSeconds } = environmentPhaseTable[phase]
    return [phase, waitsFor === null || deadlineSeconds === null ? rests : { waitsFor, deadlineSeconds }]
  }),
) as Record<EnvironmentPhase, Wait>

export const environmentKind = defineKind({
  kind: 'Environment',
  schema: environmentSchema,
  summary: 'virtual machines, in a pool, claimed or on their own',
  aliases: ['env', 'envs'],
  hasEvents: true,
  isExplained: true,
  waits: environmentWaits,
  tones: { running: 'good', failed: 'bad', stopped: 'quiet', suspended: 'quiet', deleted: 'quiet' },
})
