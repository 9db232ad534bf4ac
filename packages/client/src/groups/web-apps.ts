import {
  type WebAppPhase,
  type webAppCreateSchema,
  webAppSchema,
  type webAppUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/web-apps'

export interface WebAppFilter {
  name?: string | undefined
  environmentId?: string | undefined
  phase?: WebAppPhase | undefined
}

export const webApps = (transport: Transport) => ({
  ...collection<typeof webAppSchema, WebAppFilter>(transport, path, webAppSchema),
  /** Makes one on a machine, with its two spaces. */
  create: (body: z.input<typeof webAppCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, webAppSchema),
  update: (id: string, body: z.input<typeof webAppUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, webAppSchema),
  /** Sets it up again. */
  retry: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/retry`, ...options }, webAppSchema),
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
