import { z } from 'zod'
import { eventSchema } from './event.ts'

const position = z.int().nonnegative()
/** The oldest event that can still be read. */
const oldest = z.int().positive()

/**
 * What a stream of events carries, over WebSocket as it stands here. Over server-sent events the type is the `event`
 * field and the position the `id`; an event itself has no `event` field, and its data is the event.
 */
export const streamMessageSchema = z.discriminatedUnion('type', [
  /** Everything up to here that fits the query has been sent: the first message, and then the heartbeat. */
  z.object({ type: z.literal('position'), position }),
  z.object({ type: z.literal('event'), event: eventSchema }),
  /** The last message to an observer that did not keep up: nothing is lost, go on after `position`. */
  z.object({ type: z.literal('resume'), position, oldest }),
  /**
   * The last message to an observer whose next events are gone: what came after `asked` and before `oldest` cannot be
   * read any more. Read the resources themselves, then go on after `position`.
   */
  z.object({ type: z.literal('gap'), asked: position, position, oldest }),
])
export type StreamMessage = z.infer<typeof streamMessageSchema>
export type Gap = Extract<StreamMessage, { type: 'gap' }>

/** A gap in words, for people. */
export function describeGap({ asked, position, oldest }: Gap): string {
  return asked > position
    ? `position ${asked} is beyond the newest event: it is of another log, as after a restored backup; go on after ${position}`
    : `what changed after position ${asked} is not kept any more: the oldest kept is ${oldest}; go on after ${position}`
}

/** Why the server closes a WebSocket of events. All but `tokenEnded` are to be followed by another connection. */
export const streamCloseCodes = {
  stopping: 1001,
  failed: 1011,
  tokenEnded: 4401,
  slow: 4408,
  gap: 4410,
} as const
export type StreamEnd = keyof typeof streamCloseCodes
