import { type serviceCreateSchema, serviceSchema, type serviceUpdateSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import { type ProcessFilter, processCalls } from '../http/processes.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/services'

export const services = (transport: Transport) => ({
  ...collection<typeof serviceSchema, ProcessFilter>(transport, path, serviceSchema),
  ...processCalls(transport, path, serviceSchema),
  /** Keeps a command running in an environment. */
  create: (body: z.input<typeof serviceCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, serviceSchema),
  /** Changes what it runs from its next run on. */
  update: (id: string, body: z.input<typeof serviceUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, serviceSchema),
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
