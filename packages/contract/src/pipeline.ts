import { z } from 'zod'
import { countSchema } from './bounded.ts'
import { defineKind, rests, type Wait } from './kind-definition.ts'
import { pipelineErrorSchema } from './pipeline-event.ts'
import {
  pipelineDeploymentSchema,
  pipelineLimits,
  pipelineProgramChangeSchema,
  pipelineProgramErrorSchema,
  pipelineProgramInputSchema,
  pipelineProgramSummarySchema,
  pipelineRuntimeSettingsSchema,
} from './pipeline-program.ts'
import { bootstrapPolicySchema, pipelineInitialSchema } from './pipeline-request.ts'
import {
  type PipelinePhase,
  pipelinePhaseSchema,
  pipelineProgramSchema,
  pipelineResourcesDesiredSchema,
  pipelineResourcesSchema,
  pipelineRuntimeDesiredSchema,
  pipelineRuntimeSchema,
  pipelineStorageSchema,
} from './pipeline-status.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'
import { referenceSchema } from './snapshot.ts'

/** Wider than the names of other kinds. */
export const pipelineNameSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$/, 'letters, digits, and inner hyphens and underscores')
  .meta({ example: 'orders_2026' })

const descriptionSchema = z.string().max(pipelineLimits.descriptionCharacters)
const tagsSchema = z.array(z.string().min(1).max(pipelineLimits.tagCharacters)).max(pipelineLimits.tags)

export const pipelineSpecSchema = z.object({
  environmentClassId: idSchema.meta({ description: 'Of the machines that compile and run it' }),
  description: z.string(),
  tags: z.array(z.string()),
  program: pipelineProgramSummarySchema,
  runtime: pipelineRuntimeSettingsSchema,
  desired: pipelineResourcesDesiredSchema,
  desiredRuntime: pipelineRuntimeDesiredSchema.nullable().meta({
    description: 'null while there is no machine',
  }),
  initial: pipelineInitialSchema
    .nullable()
    .meta({ description: 'As what it was started; null while stopped' }),
  bootstrapPolicy: bootstrapPolicySchema.nullable(),
})
export type PipelineSpec = z.infer<typeof pipelineSpecSchema>

export const pipelineStatusSchema = z.object({
  phase: pipelinePhaseSchema,
  resources: pipelineResourcesSchema,
  resourcesDetails: z.unknown(),
  runtime: pipelineRuntimeSchema.nullable(),
  runtimeDetails: z.unknown(),
  program: pipelineProgramSchema,
  programError: pipelineProgramErrorSchema,
  storage: pipelineStorageSchema,
  storageDetails: z.unknown(),
  deployment: pipelineDeploymentSchema.nullable(),
  error: pipelineErrorSchema.nullable().meta({ description: 'Why it stopped, until that is dismissed' }),
  since: z
    .object({
      resources: timeSchema,
      desired: timeSchema,
      runtime: timeSchema.nullable(),
      desiredRuntime: timeSchema.nullable(),
      program: timeSchema,
      phase: timeSchema,
      desiredPhase: timeSchema,
    })
    .meta({ description: 'When each status came to be what it is' }),
  version: countSchema.meta({ description: 'Rises when something of it is changed' }),
  refreshVersion: countSchema.meta({ description: 'Rises then, and when its program was compiled' }),
  programVersion: countSchema.meta({ description: 'Rises when its program is changed' }),
  ...statusFields,
})
export const pipelineSchema = resourceSchema('Pipeline', pipelineSpecSchema, pipelineStatusSchema).meta({
  id: 'Pipeline',
})
export type Pipeline = z.infer<typeof pipelineSchema>

export const pipelineCreateSchema = z
  .strictObject({
    name: pipelineNameSchema,
    labels: labelsSchema.default({}),
    spec: z.strictObject({
      environmentClass: referenceSchema.default('small'),
      description: descriptionSchema.default(''),
      tags: tagsSchema.default([]),
      program: pipelineProgramInputSchema,
      runtime: pipelineRuntimeSettingsSchema.prefault({}),
    }),
  })
  .meta({ id: 'PipelineCreate' })
export type PipelineCreate = z.output<typeof pipelineCreateSchema>

/** What is not given stays. */
export const pipelineUpdateSchema = z
  .strictObject({
    name: pipelineNameSchema.optional(),
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({
        environmentClass: referenceSchema.optional(),
        description: descriptionSchema.optional(),
        tags: tagsSchema.optional(),
        program: pipelineProgramChangeSchema.optional(),
        runtime: pipelineRuntimeSettingsSchema.optional().meta({ description: 'Replaced as a whole' }),
      })
      .optional(),
  })
  .meta({ id: 'PipelineUpdate' })
export type PipelineUpdate = z.output<typeof pipelineUpdateSchema>

/** Of phases in which its program is about to do what is wanted. */
const works = (waitsFor: string): Wait => ({
  waitsFor,
  deadlineSeconds: null,
  because: 'how long that takes depends on its program, and a stop by force ends it',
})
const pipelineWaits: Readonly<Record<PipelinePhase, Wait>> = {
  stopped: rests,
  provisioning: {
    waitsFor: 'its machine to run, and its program to begin',
    deadlineSeconds: null,
    because: 'its own provisioning timeout ends it',
  },
  unavailable: works('its program to say how it is'),
  coordination: works('its program to find its parts'),
  standby: rests,
  synchronizing: works('its program to read what another one has stored'),
  initializing: works('its program to begin'),
  awaiting_approval: {
    waitsFor: 'somebody to approve that its changed program starts anew',
    deadlineSeconds: null,
    because: 'that is a person’s to decide',
  },
  bootstrapping: works('its changed program to compute what it stores'),
  concurrent_bootstrapping: works('its changed program to compute what it stores, beside what was there'),
  replaying: works('its program to repeat what it had not stored'),
  paused: rests,
  running: rests,
  suspended: works('its machine to be given back'),
  stopping: {
    waitsFor: 'its machine to be given back',
    deadlineSeconds: null,
    because: 'the deletion of an environment has a deadline of its own, and is repeated',
  },
}

export const pipelineKind = defineKind({
  kind: 'Pipeline',
  schema: pipelineSchema,
  summary: 'programs that are compiled, provisioned, run, paused and suspended, with storage that stays',
  hasEvents: true,
  isExplained: true,
  waits: pipelineWaits,
  tones: { running: 'good', paused: 'quiet', standby: 'quiet', stopped: 'quiet', unavailable: 'bad' },
})
