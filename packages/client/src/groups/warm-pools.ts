import { type warmPoolCreateSchema, warmPoolSchema, type warmPoolUpdateSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/warm-pools'

export interface WarmPoolFilter {
  projectId?: string | undefined
}

export const warmPools = (transport: Transport) => ({
  ...collection<typeof warmPoolSchema, WarmPoolFilter>(transport, path, warmPoolSchema),
  create: (body: z.input<typeof warmPoolCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, warmPoolSchema),
  update: (id: string, body: z.input<typeof warmPoolUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, warmPoolSchema),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
})
