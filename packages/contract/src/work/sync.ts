import { z } from 'zod'
import { countSchema, positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { environmentWork } from './environment.ts'
import type { WorkOrder } from './kinds.ts'
import { mostInventory } from './reported.ts'
import { type OrderEnvelope, orderDigestSchema, workKindSchema } from './work.ts'

/*
 * An agent asks about one kind of work at a time. In the first version there were environments alone: keys that are
 * absent mean what that version meant, and questions about other kinds have keys of their own, which it does not read.
 */

const mostKinds = 64
const kindsSchema = z.array(workKindSchema).max(mostKinds)

/** What an agent found on its host, by the metadata on the things themselves. */
export const syncRequestSchema = z.object({
  runnerId: idSchema,
  epoch: positiveSchema,
  /** The environments; empty in a question about another kind. */
  inventory: z
    .array(z.object({ environmentId: idSchema, epoch: countSchema, generation: countSchema }))
    .max(mostInventory),
  /** What is asked about; absent for environments. */
  kind: workKindSchema.optional(),
  /** What there is of another kind, with the sequence of this process's last report of it; 0 before the first. */
  work: z
    .array(
      z.object({
        id: idSchema,
        epoch: countSchema,
        generation: countSchema,
        sequence: z.int().nonnegative(),
      }),
    )
    .max(mostInventory)
    .optional(),
  /** The kinds that the agent knows; absent for environments alone. */
  kinds: kindsSchema.optional(),
  /** The `next` of the page before, null for the first. An agent that cannot read pages gives none, and gets all at once. */
  after: idSchema.nullable().optional(),
  /** The digests of the orders that the agent has, by id: with `after`, they are not sent again. */
  held: z
    .record(idSchema, orderDigestSchema)
    .refine((held) => Object.keys(held).length <= mostInventory, `at most ${mostInventory} orders`)
    .optional(),
})
export type SyncRequest = z.infer<typeof syncRequestSchema>

/**
 * The full desired set of a kind, or a page of it. What the agent holds, can prove to be its own, and finds in
 * `unwanted`, it removes. The orders are read by the schema of their kind.
 */
export const syncReplySchema = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    /** What the answer is about; absent for environments, also where another kind was asked about and is not known. */
    kind: workKindSchema.optional(),
    /** The kinds that the control plane knows; absent for environments alone. */
    kinds: kindsSchema.optional(),
    orders: z.array(z.unknown()),
    /** The ids whose orders are those that the agent has; absent where it named none. */
    unchanged: z.array(idSchema).optional(),
    unwanted: z.array(idSchema),
    /** Of `work`, what has a report that never arrived: the agent looks and reports again. */
    untold: z.array(idSchema).optional(),
    /** Where the next page of orders begins; null or absent on the last. */
    next: idSchema.nullable().optional(),
  }),
  z.object({
    accepted: z.literal(false),
    reason: z.enum(['superseded', 'unknown_runner']),
    currentEpoch: countSchema,
  }),
])
type ReadReply = z.infer<typeof syncReplySchema>
export type AcceptedSync<Order extends OrderEnvelope = WorkOrder> = Omit<
  Extract<ReadReply, { accepted: true }>,
  'orders'
> & { orders: Order[] }
export type RefusedSync = Extract<ReadReply, { accepted: false }>
export type SyncReply<Order extends OrderEnvelope = WorkOrder> = AcceptedSync<Order> | RefusedSync

/** The kind that a question or an answer is about. */
export const kindOfSync = ({ kind }: { kind?: string | undefined }): string => kind ?? environmentWork.kind
/** The kinds that its sender knows. */
export const kindsOfSync = ({ kinds }: { kinds?: string[] | undefined }): readonly string[] =>
  kinds ?? [environmentWork.kind]
