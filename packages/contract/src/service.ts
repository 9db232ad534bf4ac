import { z } from 'zod'
import { defineKind } from './kind-definition.ts'
import {
  declaredFields,
  processChangeFields,
  processFields,
  processNameSchema,
  processStatusFields,
  readinessSchema,
  restartInputSchema,
  restartSchema,
} from './process.ts'
import { idSchema, labelsSchema, resourceSchema, statusFields } from './resource.ts'
import { processPlaceFields, processWaits } from './task.ts'

export const serviceTriggerSchema = z.enum(['start', 'claim', 'manual']).meta({
  description: 'When it begins by itself: when its environment first runs, when it is claimed, or never',
})
export type ServiceTrigger = z.infer<typeof serviceTriggerSchema>

const fields = { ...processFields, readiness: readinessSchema.nullable().default(null) } as const

export const serviceDefinitionInputSchema = z.strictObject({
  ...fields,
  on: serviceTriggerSchema.default('claim'),
  restart: restartInputSchema.prefault('always'),
})
export const serviceDefinitionSchema = z.object({
  ...fields,
  on: serviceTriggerSchema,
  restart: restartSchema,
})
export type ServiceDefinition = z.infer<typeof serviceDefinitionSchema>

export const serviceSpecSchema = serviceDefinitionSchema.extend({
  environmentId: idSchema,
  desired: z.enum(['run', 'stop', 'delete']),
  request: z.int().nonnegative().meta({ description: 'Rises with every start that is asked for' }),
  ...declaredFields,
})
export const serviceStatusSchema = z.object({ ...processStatusFields, ...statusFields })
export const serviceSchema = resourceSchema('Service', serviceSpecSchema, serviceStatusSchema).meta({
  id: 'Service',
})
export type Service = z.infer<typeof serviceSchema>

/** A service that is made by hand begins at once, unless it is told not to. */
export const serviceCreateSchema = z
  .strictObject({
    name: processNameSchema,
    labels: labelsSchema.default({}),
    spec: z
      .strictObject({
        ...processPlaceFields,
        ...fields,
        restart: restartInputSchema.prefault('always'),
        start: z.boolean().default(true),
      })
      .refine(({ environment, claim }) => (environment === undefined) !== (claim === undefined), {
        message: 'give either environment or claim',
        path: ['environment'],
      }),
  })
  .meta({ id: 'ServiceCreate' })

/** What of one that nothing declares may be changed; what is not given stays. */
export const serviceUpdateSchema = z
  .strictObject({
    labels: labelsSchema.optional(),
    spec: z
      .strictObject({ ...processChangeFields, readiness: readinessSchema.nullable().optional() })
      .optional(),
  })
  .meta({ id: 'ServiceUpdate' })

export const serviceKind = defineKind({
  kind: 'Service',
  schema: serviceSchema,
  summary: 'commands in an environment that run on, and are kept running',
  hasEvents: true,
  isExplained: true,
  waits: processWaits,
  tones: { running: 'good', failed: 'bad', idle: 'quiet', stopped: 'quiet', succeeded: 'quiet' },
})
