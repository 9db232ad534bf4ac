import { z } from 'zod'
import { boundedLine, boundedText } from '../bounded.ts'
import { pauseSchema } from '../environment.ts'
import { desiredPhaseSchema } from '../environment-phase.ts'
import { longestLifeSeconds } from '../life.ts'
import { onCrashSchema } from '../project.ts'
import { provisioningPlanSchema } from '../provisioning-plan.ts'
import { reportedProcessesSchema } from '../repository-processes.ts'
import { idSchema } from '../resource.ts'
import { restartsSchema, resumedSchema, startedFromSchema } from '../started-from.ts'
import { bindingOrderSchema, reportedBindingSchema } from './binding.ts'
import { machineSourceSchema } from './machine-source.ts'
import {
  hostKeySchema,
  reportedIdentitySchema,
  reportedStepsSchema,
  strictAddressSchema,
} from './reported.ts'
import { orderEnvelopeSchema, reportEnvelopeSchema, type WorkMessages } from './work.ts'

/** What people in the guest are told, once for each key. */
export const noticeSchema = z.object({
  key: boundedLine(64, 1).regex(/^[a-z0-9-]+$/, 'lower-case letters, digits and -'),
  text: boundedLine(1_000, 1),
})
export type Notice = z.infer<typeof noticeSchema>

/** The whole of what one environment should be. */
export const environmentOrderSchema = orderEnvelopeSchema.extend({
  kind: z.literal('environment'),
  name: boundedLine(255, 1),
  organizationId: idSchema,
  desiredPhase: desiredPhaseSchema,
  plan: provisioningPlanSchema,
  source: machineSourceSchema.nullable().optional(),
  scrub: z.boolean().optional().meta({
    description:
      'Whether the guest is scrubbed before it is stopped: nothing it was told is left in its disk',
  }),
  onCrash: onCrashSchema.optional(),
  idleSeconds: z.int().min(1).max(longestLifeSeconds).optional().meta({
    description: 'Whoever orders wants to know whether it is used: it ends when nobody has for so long',
  }),
  notice: noticeSchema.optional(),
  binding: bindingOrderSchema
    .nullable()
    .optional()
    .meta({ description: 'What its claim wants of the machine once it runs' }),
  sealedSecrets: boundedText(8 * 1024 * 1024)
    .nullable()
    .meta({
      description: 'JSON object of name to value, sealed to the runner; the context is the environment’s id',
    }),
  userCertificateAuthority: hostKeySchema.meta({ description: 'OpenSSH public key' }),
  principal: boundedLine(255, 1).meta({ description: 'The only one the guest accepts in a certificate' }),
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
  'suspending',
  'suspended',
  'resuming',
  'failed',
  'deleting',
  'deleted',
])
export type ReportedPhase = z.infer<typeof reportedPhaseSchema>

/** What the agent saw of one environment. */
export const environmentReportSchema = reportEnvelopeSchema.extend({
  kind: z.literal('environment'),
  phase: reportedPhaseSchema,
  address: strictAddressSchema.nullable(),
  identity: reportedIdentitySchema.nullable(),
  paused: pauseSchema.nullable().default(null),
  steps: reportedStepsSchema,
  startedFrom: startedFromSchema.nullable().optional(),
  resumed: resumedSchema.nullable().optional(),
  restarts: restartsSchema.nullable().optional(),
  activity: z
    .object({ secondsAgo: z.number().min(0).max(longestLifeSeconds).nullable() })
    .optional()
    .meta({
      description: 'How long ago somebody used it; null for not since its runner looks',
    }),
  binding: reportedBindingSchema.nullable().optional(),
  declared: reportedProcessesSchema
    .optional()
    .meta({ description: 'What the files of the repositories that it has read declare' }),
})
export type EnvironmentReport = z.infer<typeof environmentReportSchema>

export const environmentWork: WorkMessages<EnvironmentOrder, EnvironmentReport> = {
  kind: 'environment',
  order: environmentOrderSchema,
  report: environmentReportSchema,
}
