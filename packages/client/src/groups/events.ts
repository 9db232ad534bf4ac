import { eventSchema, type ResourceKind } from '@hearth/contract'
import { z } from 'zod'
import type { CallOptions, Transport } from '../http/transport.ts'
import { type FollowOptions, followEvents } from '../streams/events.ts'

const path = '/v1/events'
/** `next` is the position to go on after. */
const pageSchema = z.object({ items: z.array(eventSchema), next: z.int().nonnegative() })

export interface EventFilter {
  /** Position: only what came after it. */
  after?: number | undefined
  limit?: number | undefined
  kind?: ResourceKind | undefined
  resourceId?: string | undefined
}

export const events = (transport: Transport) => ({
  list: (filter: EventFilter = {}, options: CallOptions = {}) =>
    transport.json({ method: 'GET', path, query: { ...filter }, ...options }, pageSchema),
  /** Changes as they happen, for as long as the signal lets; goes on where it was after a lost connection. */
  follow: (options: FollowOptions) => followEvents(transport, path, options),
})
