import {
  type environmentClassCreateSchema,
  environmentClassSchema,
  type environmentClassUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/environment-classes'

export const environmentClasses = (transport: Transport) => ({
  ...collection<typeof environmentClassSchema, object>(transport, path, environmentClassSchema),
  create: (body: z.input<typeof environmentClassCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, environmentClassSchema),
  update: (id: string, body: z.input<typeof environmentClassUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, environmentClassSchema),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
})
