import { type checkpointCreateSchema, type restoreSchema, snapshotSchema } from '@hearth/contract'
import type { z } from 'zod'
import { one } from './collection.ts'
import type { CallOptions, Transport } from './transport.ts'

/** Points to which a machine can be put back: the calls that claims and environments share. */
export function checkpoints<Item extends z.ZodType>(transport: Transport, path: string, item: Item) {
  return {
    /** Makes a point to which the machine can be put back: a snapshot, pending at first. */
    checkpoint: (id: string, body: z.input<typeof checkpointCreateSchema> = {}, options: CallOptions = {}) =>
      transport.json(
        { method: 'POST', path: `${one(path, id)}/checkpoint`, body, ...options },
        snapshotSchema,
      ),
    /** Puts the machine back to a checkpoint, by default its newest: what it did since is lost. */
    restore: (id: string, body: z.input<typeof restoreSchema> = {}, options: CallOptions = {}) =>
      transport.json({ method: 'POST', path: `${one(path, id)}/restore`, body, ...options }, item),
  }
}
