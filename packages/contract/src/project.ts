import { z } from 'zod'
import { declaredProcessesSchema, declaredProcessFields, refuseUnfitProcesses } from './declared-processes.ts'
import { defineKind, rests } from './kind-definition.ts'
import { lifeSpecSchema } from './life.ts'
import { prebuildConfigurationSchema } from './prebuild-configuration.ts'
import {
  commandInputSchema,
  commandSchema,
  repositoryInputSchema,
  repositorySchema,
} from './provisioning-plan.ts'
import { refuseSharedFolders } from './repository-folder.ts'
import { labelsSchema, nameSchema, resourceSchema, statusFields } from './resource.ts'
import { secretsSchema } from './secrets.ts'
import { variablesSchema } from './variables.ts'

const repositoriesSchema = z.array(repositoryInputSchema).max(32).superRefine(refuseSharedFolders)

/** What becomes of a claimed machine whose runner went silent: it waits for its return, or is made anew elsewhere. */
export const onHostLossSchema = z.enum(['wait', 'recreate']).meta({
  description:
    'What becomes of claimed environments whose host is lost: they wait for it, or are made anew elsewhere without what was on them',
})
export type OnHostLoss = z.infer<typeof onHostLossSchema>

export const onCrashSchema = z.enum(['restart', 'fail']).meta({
  description:
    'What becomes of environments that were ready and whose machine crashed, or whose host was rebooted: they start again, or fail',
})
export type OnCrash = z.infer<typeof onCrashSchema>

/** How many checkpoints of one machine are kept, and for how long. */
export const checkpointRetentionSchema = z
  .strictObject({
    keep: z
      .int()
      .min(1)
      .max(1_000)
      .default(10)
      .meta({ description: 'Of each environment the newest so many' }),
    days: z.int().min(1).max(3_650).default(14).meta({ description: 'None older than so many days' }),
  })
  .meta({ description: 'Which checkpoints are kept; one that an environment was put back to stays' })
export type CheckpointRetention = z.infer<typeof checkpointRetentionSchema>
export const defaultCheckpointRetention: CheckpointRetention = { keep: 10, days: 14 }

/** The classes that machines of a project are offered in, by name or id; the first is meant where none is named. */
export const offeredClassesSchema = z
  .array(z.string().min(1).max(63))
  .max(30)
  .refine((names) => new Set(names).size === names.length, 'each class once')
  .meta({
    description:
      'The environment classes, by name or id, that its environments are offered in; the first is meant where none is named. Empty for all',
  })

/** What people write. Secrets go in and never come out. */
export const projectSpecInputSchema = z.strictObject({
  repositories: repositoriesSchema.default([]),
  variables: variablesSchema.default({}),
  secrets: secretsSchema.default({}),
  setup: z.array(commandInputSchema).max(64).default([]),
  onHostLoss: onHostLossSchema.default('wait'),
  onCrash: onCrashSchema.default('restart'),
  prebuilds: prebuildConfigurationSchema
    .nullable()
    .default(null)
    .meta({ description: 'Which prebuilds are made, and when; null for none' }),
  snapshots: checkpointRetentionSchema.prefault({}),
  life: lifeSpecSchema.default({}),
  environmentClasses: offeredClassesSchema.default([]),
  ...declaredProcessFields,
})
export type ProjectSpecInput = z.infer<typeof projectSpecInputSchema>

/** What is stored and shown: secrets by name only. */
export const projectSpecSchema = z.object({
  repositories: z.array(repositorySchema),
  variables: variablesSchema,
  secretNames: z.array(z.string()),
  setup: z.array(commandSchema),
  onHostLoss: onHostLossSchema.default('wait'),
  onCrash: onCrashSchema.default('restart'),
  prebuilds: prebuildConfigurationSchema.nullable().default(null),
  snapshots: checkpointRetentionSchema.prefault({}),
  life: lifeSpecSchema.default({}),
  environmentClasses: offeredClassesSchema.default([]),
  ...declaredProcessesSchema.shape,
})
export type ProjectSpec = z.infer<typeof projectSpecSchema>

export const projectStatusSchema = z.object({ phase: z.enum(['active', 'deleting']), ...statusFields })
export const projectSchema = resourceSchema('Project', projectSpecSchema, projectStatusSchema).meta({
  id: 'Project',
})
export type Project = z.infer<typeof projectSchema>

export const projectCreateSchema = z
  .strictObject({
    name: nameSchema,
    labels: labelsSchema.default({}),
    spec: projectSpecInputSchema.superRefine(refuseUnfitProcesses).prefault({}),
  })
  .meta({ id: 'ProjectCreate' })
export const projectUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        repositories: repositoriesSchema.optional(),
        variables: variablesSchema.optional(),
        secrets: secretsSchema.optional(),
        setup: z.array(commandInputSchema).max(64).optional(),
        onHostLoss: onHostLossSchema.optional(),
        onCrash: onCrashSchema.optional(),
        prebuilds: prebuildConfigurationSchema.nullable().optional(),
        snapshots: checkpointRetentionSchema.optional(),
        life: lifeSpecSchema.optional(),
        environmentClasses: offeredClassesSchema.optional(),
        tasks: declaredProcessFields.tasks.unwrap().optional(),
        services: declaredProcessFields.services.unwrap().optional(),
      })
      .optional(),
  })
  .meta({ id: 'ProjectUpdate' })

/** How long a project that is being deleted waits before it says what keeps it, in seconds. */
export const projectDeletingSeconds = 900

export const projectKind = defineKind({
  kind: 'Project',
  schema: projectSchema,
  summary: 'repositories, variables, secrets and set-up commands',
  hasEvents: true,
  isExplained: false,
  waits: {
    active: rests,
    deleting: { waitsFor: 'its pools and environments to be gone', deadlineSeconds: projectDeletingSeconds },
  },
  tones: { active: 'good' },
})
