import { tokenCreatedSchema, type tokenCreateSchema, tokenSchema } from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/tokens'

export const tokens = (transport: Transport) => {
  const { list, listAll } = collection<typeof tokenSchema, object>(transport, path, tokenSchema)
  return {
    list,
    listAll,
    /** The only answer that ever holds the secret. */
    create: (body: z.input<typeof tokenCreateSchema>, options: CallOptions = {}) =>
      transport.json({ method: 'POST', path, body, ...options }, tokenCreatedSchema),
    delete: (id: string, options: CallOptions = {}) =>
      transport.send({ method: 'DELETE', path: one(path, id), ...options }),
  }
}
