import {
  organizationCreatedSchema,
  type organizationCreateSchema,
  organizationSchema,
  type organizationUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/organizations'

export const organizations = (transport: Transport) => ({
  ...collection<typeof organizationSchema, object>(transport, path, organizationSchema),
  /** The answer alone holds the token of its administrator. */
  create: (body: z.input<typeof organizationCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, organizationCreatedSchema),
  update: (id: string, body: z.input<typeof organizationUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, organizationSchema),
})
