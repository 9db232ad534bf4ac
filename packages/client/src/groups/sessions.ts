import {
  type SessionPhase,
  type sessionCreateSchema,
  type sessionRenewalSchema,
  sessionSchema,
  type sessionUpdateSchema,
  type targetReportsSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/sessions'

export interface SessionFilter {
  projectId?: string | undefined
  environmentId?: string | undefined
  claimId?: string | undefined
  phase?: SessionPhase | undefined
}

export const sessions = (transport: Transport) => ({
  ...collection<typeof sessionSchema, SessionFilter>(transport, path, sessionSchema),
  create: (body: z.input<typeof sessionCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, sessionSchema),
  update: (id: string, body: z.input<typeof sessionUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, sessionSchema),
  /** What it is about goes on. */
  end: (id: string, options: CallOptions = {}) =>
    transport.json(
      { method: 'PATCH', path: one(path, id), body: { spec: { desired: 'ended' } }, ...options },
      sessionSchema,
    ),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
  /** The caller still lives: to be said well before `status.leaseEndsAt`. */
  renew: (id: string, body: z.input<typeof sessionRenewalSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/renewals`, body, ...options }, sessionSchema),
  /** What happens on the caller's side; targets that are not named stay as they are. */
  report: (id: string, targets: z.input<typeof targetReportsSchema>['targets'], options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/targets`, body: { targets }, ...options },
      sessionSchema,
    ),
})
