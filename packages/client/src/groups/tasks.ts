import { type taskCreateSchema, taskSchema, type taskUpdateSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import { type ProcessFilter, processCalls } from '../http/processes.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/tasks'

export const tasks = (transport: Transport) => ({
  ...collection<typeof taskSchema, ProcessFilter>(transport, path, taskSchema),
  ...processCalls(transport, path, taskSchema),
  /** Runs a command in an environment; it begins at once unless it has a schedule. */
  create: (body: z.input<typeof taskCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, taskSchema),
  /** Changes what it runs from its next run on. */
  update: (id: string, body: z.input<typeof taskUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, taskSchema),
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
