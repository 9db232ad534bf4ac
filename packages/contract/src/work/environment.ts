import { z } from 'zod'
import { addressSchema, identitySchema, pauseSchema } from '../environment.ts'
import { desiredPhaseSchema } from '../environment-phase.ts'
import { failureSchema } from '../failure.ts'
import { provisioningPlanSchema } from '../provisioning-plan.ts'
import { stepStatusSchema } from '../provisioning-step.ts'
import { idSchema, timeSchema } from '../resource.ts'

/** The whole of what one environment should be. Newest replaces older; an agent refuses an older epoch or generation. */
export const environmentOrderSchema = z.object({
  kind: z.literal('environment'),
  id: idSchema,
  name: z.string(),
  organizationId: idSchema,
  runnerId: idSchema,
  epoch: z.int().positive(),
  generation: z.int().positive().meta({ description: 'The environment’s specVersion' }),
  desiredPhase: desiredPhaseSchema,
  plan: provisioningPlanSchema,
  sealedSecrets: z.string().nullable().meta({
    description: 'JSON object of name to value, sealed to the runner; the context is the environment’s id',
  }),
  userCertificateAuthority: z.string().meta({ description: 'OpenSSH public key' }),
  principal: z.string().meta({ description: 'The only one the guest accepts in a certificate' }),
})
export type EnvironmentOrder = z.infer<typeof environmentOrderSchema>

/** The principal a guest accepts: its own environment's. */
export const environmentPrincipal = (environmentId: string) => `environment:${environmentId}`

export const reportedPhaseSchema = z.enum([
  'provisioning',
  'running',
  'stopping',
  'stopped',
  'starting',
  'failed',
  'deleting',
  'deleted',
])
export type ReportedPhase = z.infer<typeof reportedPhaseSchema>

/** What the agent saw, whole: a later one replaces an earlier one. (epoch, sequence) rises per environment. */
export const environmentReportSchema = z.object({
  kind: z.literal('environment'),
  id: idSchema,
  runnerId: idSchema,
  epoch: z.int().positive(),
  generation: z.int().positive(),
  sequence: z.int().positive().meta({ description: 'Rises with every report of one agent process' }),
  phase: reportedPhaseSchema,
  address: addressSchema.nullable(),
  identity: identitySchema.nullable(),
  paused: pauseSchema.nullable().default(null),
  steps: z.array(stepStatusSchema),
  failure: failureSchema.nullable(),
  reportedAt: timeSchema,
})
export type EnvironmentReport = z.infer<typeof environmentReportSchema>
