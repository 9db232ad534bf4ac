import { type organizationCreateSchema, organizationSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/organizations'

export const organizations = (transport: Transport) => ({
  ...collection<typeof organizationSchema, object>(transport, path, organizationSchema),
  create: (body: z.input<typeof organizationCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, organizationSchema),
})
