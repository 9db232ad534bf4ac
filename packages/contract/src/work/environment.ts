import { z } from 'zod'
import { boundedLine, boundedText, positiveSchema } from '../bounded.ts'
import { pauseSchema } from '../environment.ts'
import { desiredPhaseSchema } from '../environment-phase.ts'
import { provisioningPlanSchema } from '../provisioning-plan.ts'
import { idSchema, timeSchema } from '../resource.ts'
import {
  hostKeySchema,
  reportedFailureSchema,
  reportedIdentitySchema,
  reportedStepsSchema,
  strictAddressSchema,
} from './reported.ts'

/** Names the content of an order; what it is made of is the control plane's. */
export const orderDigestSchema = boundedLine(64, 1)

/** The whole of what one environment should be. Newest replaces older; an agent refuses an older epoch or generation. */
export const environmentOrderSchema = z.object({
  kind: z.literal('environment'),
  id: idSchema,
  name: boundedLine(255, 1),
  organizationId: idSchema,
  runnerId: idSchema,
  epoch: positiveSchema,
  generation: positiveSchema.meta({ description: 'The environment’s specVersion' }),
  desiredPhase: desiredPhaseSchema,
  plan: provisioningPlanSchema,
  sealedSecrets: boundedText(8 * 1024 * 1024)
    .nullable()
    .meta({
      description: 'JSON object of name to value, sealed to the runner; the context is the environment’s id',
    }),
  userCertificateAuthority: hostKeySchema.meta({ description: 'OpenSSH public key' }),
  principal: boundedLine(255, 1).meta({ description: 'The only one the guest accepts in a certificate' }),
  digest: orderDigestSchema.optional().meta({ description: 'Another one whenever anything else differs' }),
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
  epoch: positiveSchema,
  generation: positiveSchema,
  sequence: z.int().positive().meta({ description: 'Rises with every report of one agent process' }),
  phase: reportedPhaseSchema,
  address: strictAddressSchema.nullable(),
  identity: reportedIdentitySchema.nullable(),
  paused: pauseSchema.nullable().default(null),
  steps: reportedStepsSchema,
  failure: reportedFailureSchema.nullable(),
  reportedAt: timeSchema,
})
export type EnvironmentReport = z.infer<typeof environmentReportSchema>
