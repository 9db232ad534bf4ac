import { z } from 'zod'
import { boundedLine } from './bounded.ts'
import { defineKind, rests } from './kind-definition.ts'
import { idSchema, resourceSchema, statusFields, timeSchema } from './resource.ts'

export const deploymentOriginSchema = z.enum(['upload', 'promote', 'rollback'])
export type DeploymentOrigin = z.infer<typeof deploymentOriginSchema>

export const deploymentSpecSchema = z.object({
  desired: z.enum(['run', 'cancel']),
  spaceId: idSchema,
  webAppId: idSchema,
  artifactId: idSchema.meta({ description: 'The ZIP that it is made of' }),
  origin: deploymentOriginSchema,
  ofDeploymentId: idSchema
    .nullable()
    .meta({ description: 'The deployment that is promoted or gone back to; null for an upload' }),
  releaseId: idSchema.meta({
    description: 'Names the folder of its release: its own id, or that of the deployment gone back to',
  }),
  displayName: z.string(),
})
export type DeploymentSpec = z.infer<typeof deploymentSpecSchema>

export const deploymentPhaseSchema = z.enum([
  'pending',
  'preparing',
  'releasing',
  'starting',
  'switching',
  'succeeded',
  'reverting',
  'failed',
  'cancelled',
])
export type DeploymentPhase = z.infer<typeof deploymentPhaseSchema>

export const deploymentStatusSchema = z.object({
  phase: deploymentPhaseSchema,
  step: z.string().nullable().meta({ description: 'The task or service that it waits for, or that failed' }),
  waitsFor: z.string().nullable(),
  isCurrent: z.boolean().meta({ description: 'Whether its release gets the requests of its space' }),
  finishedAt: timeSchema.nullable(),
  ...statusFields,
})
export const deploymentSchema = resourceSchema(
  'Deployment',
  deploymentSpecSchema,
  deploymentStatusSchema,
).meta({ id: 'Deployment' })
export type Deployment = z.infer<typeof deploymentSchema>

export const deploymentNameSchema = boundedLine(255)

/** Seconds that a deployment may take in each phase. */
export const deploymentSeconds = {
  pending: 3_600,
  preparing: 1_800,
  releasing: 3_600,
  starting: 600,
  switching: 120,
  reverting: 300,
} as const

export const deploymentKind = defineKind({
  kind: 'Deployment',
  schema: deploymentSchema,
  summary: 'releases of web apps in their spaces, and how each went',
  hasEvents: true,
  isExplained: true,
  waits: {
    pending: {
      waitsFor: 'its machine to run, and the deployment before it to end',
      deadlineSeconds: deploymentSeconds.pending,
    },
    preparing: {
      waitsFor: 'its archive to be unpacked and its dependencies to be installed',
      deadlineSeconds: deploymentSeconds.preparing,
    },
    releasing: { waitsFor: 'its release commands', deadlineSeconds: deploymentSeconds.releasing },
    starting: { waitsFor: 'its processes to be ready', deadlineSeconds: deploymentSeconds.starting },
    switching: {
      waitsFor: 'the web server to lead requests to it',
      deadlineSeconds: deploymentSeconds.switching,
    },
    succeeded: rests,
    reverting: {
      waitsFor: 'its processes to end, and those to start again that had ended for them',
      deadlineSeconds: deploymentSeconds.reverting,
    },
    failed: rests,
    cancelled: rests,
  },
  tones: { succeeded: 'good', failed: 'bad', cancelled: 'quiet' },
})

const displayName = deploymentNameSchema.optional().meta({
  description: 'For people; by default that of the deployment that is taken over',
})
export const promotionSchema = z.strictObject({ displayName }).meta({ id: 'Promotion' })
export const rollbackSchema = z
  .strictObject({
    deploymentId: idSchema.optional().meta({
      description: 'Whose release is gone back to; by default the release before the present one',
    }),
    displayName,
  })
  .meta({ id: 'Rollback' })
