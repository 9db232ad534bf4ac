import {
  type InstanceState,
  type poolSimulationCreateSchema,
  poolSimulationSchema,
  type warmPoolClearSchema,
  type warmPoolCreateSchema,
  warmPoolInstanceSchema,
  warmPoolSchema,
  type warmPoolTestCreateSchema,
  type warmPoolUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/warm-pools'

export interface WarmPoolFilter {
  projectId?: string | undefined
}

export interface InstanceFilter {
  /** By default all but removed ones. */
  state?: InstanceState | undefined
}

export const warmPools = (transport: Transport) => ({
  ...collection<typeof warmPoolSchema, WarmPoolFilter>(transport, path, warmPoolSchema),
  create: (body: z.input<typeof warmPoolCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, warmPoolSchema),
  update: (id: string, body: z.input<typeof warmPoolUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, warmPoolSchema),
  delete: (id: string, options: CallOptions = {}) =>
    transport.send({ method: 'DELETE', path: one(path, id), ...options }),
  /** Removes every unclaimed member; with `replenish` the pool fills anew. */
  clear: (id: string, body: z.input<typeof warmPoolClearSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/clear`, body, ...options }, warmPoolSchema),
  /** What a setting would have cost and missed, for given claims or those that are known. Changes nothing. */
  simulate: (id: string, body: z.input<typeof poolSimulationCreateSchema>, options: CallOptions = {}) =>
    transport.json(
      { method: 'POST', path: `${one(path, id)}/simulations`, body, ...options },
      poolSimulationSchema,
    ),
  /** Its members, those claimed from it, and its tests. */
  instances: (id: string) =>
    collection<typeof warmPoolInstanceSchema, InstanceFilter>(
      transport,
      `${one(path, id)}/instances`,
      warmPoolInstanceSchema,
    ),
  tests: (id: string) => ({
    ...collection<typeof warmPoolInstanceSchema, InstanceFilter>(
      transport,
      `${one(path, id)}/tests`,
      warmPoolInstanceSchema,
    ),
    /** Tries the pool's steps, as it is set now, in an environment outside of it. */
    create: (body: z.input<typeof warmPoolTestCreateSchema>, options: CallOptions = {}) =>
      transport.json(
        { method: 'POST', path: `${one(path, id)}/tests`, body, ...options },
        warmPoolInstanceSchema,
      ),
  }),
  why: explaining(transport, path),
})
