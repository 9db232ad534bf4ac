import {
  type copyCreateSchema,
  type SnapshotPhase,
  type snapshotCreateSchema,
  snapshotSchema,
} from '@hearth/contract'
import type { z } from 'zod'
import { collection, deletion, explaining, one } from '../http/collection.ts'
import type { CallOptions, Transport } from '../http/transport.ts'

const path = '/v1/snapshots'

export interface SnapshotFilter {
  projectId?: string | undefined
  environmentId?: string | undefined
  claimId?: string | undefined
  /** By default all but deleted ones. */
  phase?: SnapshotPhase | undefined
}

export const snapshots = (transport: Transport) => ({
  ...collection<typeof snapshotSchema, SnapshotFilter>(transport, path, snapshotSchema),
  create: (body: z.input<typeof snapshotCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path, body, ...options }, snapshotSchema),
  /** Has another runner hold it too: its disk is copied there, its memory stays. */
  copy: (id: string, body: z.input<typeof copyCreateSchema>, options: CallOptions = {}) =>
    transport.json({ method: 'POST', path: `${one(path, id)}/copies`, body, ...options }, snapshotSchema),
  /** `force` deletes one in use too, unless a machine that uses it is on. */
  delete: deletion(transport, path),
  why: explaining(transport, path),
})
