import { z } from 'zod'
import { positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { reportedFactsSchema } from './reported.ts'

/** Sent by an agent when it starts: `POST /v1/runners/{id}/registration`, with the runner's own token. */
export const registrationRequestSchema = z
  .strictObject({ facts: reportedFactsSchema })
  .meta({ id: 'RegistrationRequest' })
export const registrationSchema = z
  .object({
    runnerId: idSchema,
    organizationId: idSchema,
    epoch: positiveSchema,
    nats: z.object({
      servers: z.array(z.string()),
      credentials: z.string().nullable().meta({
        description: 'A NATS credentials file for this runner’s own subjects; null where NATS asks for none',
      }),
    }),
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof registrationSchema>
