import {
  type VolumePhase,
  type volumeAttachSchema,
  type volumeClearSchema,
  type volumeCreateSchema,
  type volumeDetachSchema,
  volumeSchema,
  type volumeSnapshotSchema,
  type volumeUpdateSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/volumes'

export interface VolumeFilter {
  name?: string | undefined
  environmentId?: string | undefined
  phase?: VolumePhase | undefined
}

export const volumes = (transport: Transport) => ({
  ...collection<typeof volumeSchema, VolumeFilter>(transport, path, volumeSchema),
  create: (body: z.input<typeof volumeCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, volumeSchema),
  /** Enlarges it, or changes where it is mounted the next time. */
  update: (id: string, body: z.input<typeof volumeUpdateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'PATCH', path: one(path, id), body, ...options }, volumeSchema),
  /** Gives it to one machine. */
  attach: (id: string, body: z.input<typeof volumeAttachSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/attach`, body, ...options }, volumeSchema),
  detach: (id: string, body: z.input<typeof volumeDetachSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/detach`, body, ...options }, volumeSchema),
  /** Empties it. */
  clear: (id: string, body: z.input<typeof volumeClearSchema> = {}, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/clear`, body, ...options }, volumeSchema),
  /** Makes an immutable copy of it. */
  snapshot: (id: string, body: z.input<typeof volumeSnapshotSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/snapshots`, body, ...options }, volumeSchema),
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
