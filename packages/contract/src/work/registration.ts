import { z } from 'zod'
import { positiveSchema } from '../bounded.ts'
import { idSchema, timeSchema } from '../resource.ts'
import { reportedFactsSchema } from './reported.ts'

/** Sent by an agent when it starts: `POST /v1/runners/{id}/registration`, with the runner's own token. */
export const registrationRequestSchema = z
  .strictObject({ facts: reportedFactsSchema })
  .meta({ id: 'RegistrationRequest' })
/**
 * Sent with a registration by agents that renew their credentials for NATS before they end. Others get credentials that
 * do not end.
 */
export const renewsCredentialsHeader = 'Hearth-Renews-Credentials'
export const natsCredentialsSchema = z
  .object({
    credentials: z.string().nullable().meta({
      description: 'A NATS credentials file for this runner’s own subjects; null where NATS asks for none',
    }),
    expiresAt: timeSchema.nullable().optional().meta({
      description:
        'When NATS ends the connection and refuses them: POST …/credentials gives others; null for never',
    }),
    expiresInSeconds: positiveSchema.nullable().optional().meta({
      description: 'The same from now on, for a host whose clock is wrong',
    }),
  })
  .meta({ id: 'NatsCredentials' })
export type NatsCredentials = z.infer<typeof natsCredentialsSchema>
export const registrationSchema = z
  .object({
    runnerId: idSchema,
    organizationId: idSchema,
    epoch: positiveSchema,
    nats: z.object({ servers: z.array(z.string()), ...natsCredentialsSchema.shape }),
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof registrationSchema>
