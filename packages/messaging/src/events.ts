import { type Event, subjectKind, subjects } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Connection } from './connection.ts'
import { publishPatienceMilliseconds, publishStored, type Stored } from './publish.ts'

/**
 * The event's id is the message id: an event published again within the deduplication window is stored once. An event
 * too large for the server is sent without its resource: observers still learn what changed, and the events after it
 * are not held up.
 */
export async function publishEvent(
  connection: Connection,
  event: Event,
  before: () => Promise<void>,
): Promise<Stored> {
  const subject = subjects.event(event.organizationId, subjectKind(event.kind), event.resourceId)
  const options = { messageId: event.id, patienceMilliseconds: publishPatienceMilliseconds, before }
  try {
    return await publishStored(connection, subject, event, options)
  } catch (thrown) {
    if (!(thrown instanceof HearthError) || thrown.code !== 'too_large') throw thrown
    connection.onProblem(subject, thrown)
    return publishStored(connection, subject, { ...event, resource: {} }, options)
  }
}
