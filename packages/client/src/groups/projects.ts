import { type projectCreateSchema, projectSchema, type projectUpdateSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/projects'

export const projects = (transport: Transport) => ({
  ...collection<typeof projectSchema, object>(transport, path, projectSchema),
  create: (body: z.input<typeof projectCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, projectSchema),
  update: (id: string, body: z.input<typeof projectUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, projectSchema),
  /** `force` deletes claimed machines with it. */
  delete: deletion(transport, path),
})
