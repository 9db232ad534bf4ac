import { z } from 'zod'
import { boundedLine, boundedText, positiveSchema } from '../bounded.ts'
import { bindingLimits } from '../claim-binding.ts'
import { gitReferenceSchema } from '../git-reference.ts'
import { guestHostNameSchema } from '../host-name.ts'
import { idSchema } from '../resource.ts'
import { variableNameSchema } from '../variables.ts'
import { reportedFailureSchema, reportedStepsSchema, reportedTimeSchema } from './reported.ts'

/** What a claim wants of its machine, once that runs. It is bound once for each attempt, without a restart. */
export const bindingOrderSchema = z.object({
  claimId: idSchema,
  attempt: positiveSchema,
  variables: z.record(variableNameSchema, boundedText(bindingLimits.valueBytes)),
  secretNames: z.array(variableNameSchema).max(bindingLimits.variables),
  sealedSecrets: boundedText(2 * 1024 * 1024)
    .nullable()
    .meta({ description: 'As the order’s own: JSON object of name to value, sealed to the runner' }),
  repositories: z
    .array(z.object({ name: boundedLine(255, 1), ref: gitReferenceSchema }))
    .max(bindingLimits.repositories),
  hostname: guestHostNameSchema.nullable(),
  startCommand: boundedText(bindingLimits.startCommandBytes).nullable(),
})
export type BindingOrder = z.infer<typeof bindingOrderSchema>

/** How far the machine of a claim has been bound. */
export const reportedBindingSchema = z.object({
  claimId: idSchema,
  attempt: positiveSchema,
  phase: z.enum(['running', 'bound', 'failed']),
  steps: reportedStepsSchema,
  boundAt: reportedTimeSchema.nullable(),
  failure: reportedFailureSchema.nullable(),
})
export type ReportedBinding = z.infer<typeof reportedBindingSchema>
