import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { failureSchema } from './failure.ts'
import { defineKind, type Wait } from './kind-definition.ts'
import { prebuildTimeoutSchema } from './prebuild-configuration.ts'
import {
  type PrebuildPhase,
  prebuildDesiredPhaseSchema,
  prebuildPhaseSchema,
  prebuildPhases,
  prebuildPhaseTable,
} from './prebuild-phase.ts'
import { processNameSchema, processPhaseSchema } from './process.ts'
import { branchSchema } from './provisioning-plan.ts'
import { stepStatusSchema } from './provisioning-step.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

export const prebuildTriggerKindSchema = z.enum(['manual', 'schedule', 'push'])
export type PrebuildTriggerKind = z.infer<typeof prebuildTriggerKindSchema>

export const prebuildTriggerSchema = z.object({
  kind: prebuildTriggerKindSchema,
  by: boundedLine(255).nullable().meta({ description: 'Who pushed, as their git server says' }),
  ref: boundedLine(512).nullable().meta({ description: 'As in refs/heads/main' }),
  commit: boundedLine(64).nullable(),
})
export type PrebuildTrigger = z.infer<typeof prebuildTriggerSchema>

export const prebuildSpecSchema = z.object({
  projectId: idSchema,
  environmentClassId: idSchema,
  desiredPhase: prebuildDesiredPhaseSchema,
  trigger: prebuildTriggerSchema,
  executorId: idSchema.nullable().meta({
    description: 'The principal in whose name it runs: who asked for it, or who made the project',
  }),
  timeoutSeconds: prebuildTimeoutSchema,
  incremental: z.boolean(),
  branch: z.string().nullable().meta({
    description: 'Checked out of every repository; null for the branches that the project names',
  }),
})
export type PrebuildSpec = z.infer<typeof prebuildSpecSchema>

const bytesSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** The machine that was booted once from the disk on one runner, and whose memory is kept. */
export const prebuildTemplateSchema = z.object({
  runnerId: idSchema,
  phase: z.enum(['pending', 'booting', 'freezing', 'ready', 'failed']),
  environmentId: idSchema.nullable(),
  snapshotId: idSchema.nullable().meta({ description: 'The snapshot with its memory' }),
  failure: failureSchema.nullable(),
  failures: z.int().nonnegative().meta({ description: 'How often it could not be made or used, of 5' }),
  retryAt: timeSchema.nullable().meta({ description: 'When one that failed is tried again; null for never' }),
})
export type PrebuildTemplate = z.infer<typeof prebuildTemplateSchema>

/** A task or service of the environment that a prebuild is built on. */
export const prebuildTaskSchema = z.object({
  id: idSchema,
  kind: z.enum(['task', 'service']),
  name: processNameSchema,
  phase: processPhaseSchema,
  runs: z.int().nonnegative(),
})
export type PrebuildTask = z.infer<typeof prebuildTaskSchema>

export const prebuildStatusSchema = z.object({
  phase: prebuildPhaseSchema,
  environmentId: idSchema.nullable().meta({ description: 'The environment that it is built on' }),
  snapshotId: idSchema.nullable().meta({ description: 'Its disk, as a snapshot' }),
  basedOnId: idSchema.nullable().meta({ description: 'The prebuild from whose disk it began' }),
  templates: z.array(prebuildTemplateSchema),
  warnings: z.array(z.string()).meta({
    description: 'What went wrong without failing it; what starts from it may be affected',
  }),
  progress: z
    .object({ doneBytes: bytesSchema, totalBytes: bytesSchema })
    .nullable()
    .meta({ description: 'Of the snapshot, while it is made' }),
  bytes: bytesSchema.nullable().meta({ description: 'What its disk takes with all below it' }),
  planDigest: z.string().meta({
    description: 'The same for prebuilds and environments of alike repositories, set-up, image and size',
  }),
  failedBoots: z.int().nonnegative().meta({
    description: 'How many environments in a row could not start from it; after 3 the one before it is used',
  }),
  unexplainedBoots: z.int().nonnegative().meta({
    description:
      'How many more did not answer, while it is not known whether that is their hosts’ doing; from 3 on it is not used until that is known',
  }),
  steps: z.array(stepStatusSchema),
  tasks: z
    .array(prebuildTaskSchema)
    .default([])
    .meta({ description: 'The tasks that prebuilds run, and what they depend on' }),
  startedAt: timeSchema.nullable(),
  completedAt: timeSchema.nullable().meta({ description: 'When it ended, well or not' }),
  ...statusFields,
})
export type PrebuildStatus = z.infer<typeof prebuildStatusSchema>
export const prebuildSchema = resourceSchema('Prebuild', prebuildSpecSchema, prebuildStatusSchema).meta({
  id: 'Prebuild',
})
export type Prebuild = z.infer<typeof prebuildSchema>

export const prebuildCreateSchema = z
  .strictObject({
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      projectId: z.string().min(1).max(63).meta({ description: 'Of the project, its id or its name' }),
      environmentClassId: z.string().min(1).max(63).optional().meta({
        description: 'The class, by id or name; by default the first that the project makes prebuilds for',
      }),
      timeoutSeconds: prebuildTimeoutSchema.optional(),
      incremental: z.boolean().optional(),
      branch: branchSchema.nullable().default(null),
    }),
  })
  .meta({ id: 'PrebuildCreate' })

export const logTokenSchema = z
  .object({
    token: z.string(),
    expiresAt: timeSchema,
    path: z
      .string()
      .meta({ description: 'Where the log is read with it, as in /v1/prebuilds/…/log?token=…' }),
  })
  .meta({ id: 'LogToken' })
export type LogToken = z.infer<typeof logTokenSchema>

/** How long a token for the log of a prebuild is good for, in seconds. */
export const logTokenSeconds = 3_600

/** How often the memory of a machine is tried to be kept on one runner. */
export const templateAttempts = 5

/** A prebuild from which so many machines in a row could not start is not used any more. */
export const prebuildBootAttempts = 3

const waits = Object.fromEntries(
  prebuildPhases.map((phase) => [phase, prebuildPhaseTable[phase].wait]),
) as Record<PrebuildPhase, Wait>

export const prebuildKind = defineKind({
  kind: 'Prebuild',
  schema: prebuildSchema,
  summary: 'disks on which the set-up of a project is done already',
  hasEvents: true,
  isExplained: true,
  waits,
  tones: { completed: 'good', failed: 'bad', cancelled: 'quiet', deleted: 'quiet' },
})
