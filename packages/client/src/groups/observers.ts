import {
  observerAccessSchema,
  type observerCreateSchema,
  type observerRenewSchema,
  observerSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/observers'

export const observers = (transport: Transport) => ({
  ...collection<typeof observerSchema, object>(transport, path, observerSchema),
  /** The answer says how to read events from NATS, and holds the credentials. */
  create: (body: z.input<typeof observerCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, observerAccessSchema),
  /** New credentials, before or after the old ones have ended; the observer goes on where it is. */
  renew: (id: string, body: z.input<typeof observerRenewSchema>, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/credentials`, body, ...options },
      observerAccessSchema,
    ),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
})
