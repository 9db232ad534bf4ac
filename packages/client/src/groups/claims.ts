import {
  type claimCreateSchema,
  claimSchema,
  connectionSchema,
  type extendSchema,
  type forkCreateSchema,
  forkSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { checkpoints } from '../http/checkpoints.ts'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/claims'

export const claims = (transport: Transport) => ({
  ...collection<typeof claimSchema, object>(transport, path, claimSchema),
  ...checkpoints(transport, path, claimSchema),
  create: (body: z.input<typeof claimCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, claimSchema),
  /** Answers when the claim is no longer pending, or after this many seconds (0 to 60). */
  wait: (id: string, waitSeconds: number, options: CallOptions = {}) =>
    transport.json(
      {
        method: 'GET',
        path: one(path, id),
        query: { waitSeconds },
        extraMilliseconds: waitSeconds * 1_000,
        ...options,
      },
      claimSchema,
    ),
  /** Gives the machine back; it is deleted, never used again. `force` does not wait for its runner. */
  release: deletion(transport, path),
  /** Binds one that could not be bound once more, or has its failed machine tried again. */
  retry: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/retry`, ...options }, claimSchema),
  certificate: (id: string, publicKey: string, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/certificates`, body: { publicKey }, ...options },
      connectionSchema,
    ),
  /** Makes machines of the running one, each with a claim of its own; the origin runs on. */
  fork: (id: string, body: z.input<typeof forkCreateSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/fork`, body, ...options }, forkSchema),
  /** Puts the end of its life off; without a span by an hour. */
  extend: (id: string, body: z.input<typeof extendSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/extend`, body, ...options }, claimSchema),
  /** Says that somebody uses it, in a way that Hearth cannot see. */
  activity: (id: string, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/activity`, ...options }, claimSchema),
  why: explaining(transport, path),
})
