import { type userSecretCreateSchema, userSecretSchema, type userSecretUpdateSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/user-secrets'

/** Of the caller alone; no answer has a value. */
export const userSecrets = (transport: Transport) => ({
  ...collection<typeof userSecretSchema, object>(transport, path, userSecretSchema),
  create: (body: z.input<typeof userSecretCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, userSecretSchema),
  update: (id: string, body: z.input<typeof userSecretUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, userSecretSchema),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
})
