import {
  type RoutePhase,
  type routeCreateSchema,
  routeSchema,
  routeTicketSchema,
  routeTokenSchema,
  type routeUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/routes'

export interface RouteFilter {
  environmentId?: string | undefined
  claimId?: string | undefined
  phase?: RoutePhase | undefined
}

export const routes = (transport: Transport) => ({
  ...collection<typeof routeSchema, RouteFilter>(transport, path, routeSchema),
  /** Leads a host name to a port of a machine. */
  create: (body: z.input<typeof routeCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, routeSchema),
  update: (id: string, body: z.input<typeof routeUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, routeSchema),
  /** An address that lets the caller in, once and soon. */
  ticket: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/tickets`, ...options }, routeTicketSchema),
  /** Makes its token; the one before ends. */
  token: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/token`, ...options }, routeTokenSchema),
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
