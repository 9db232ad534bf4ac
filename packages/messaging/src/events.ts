import { type Event, subjectKind, subjects } from '@hearth/contract'
import type { Connection } from './connection.ts'
import { publishPatienceMilliseconds, publishStored } from './publish.ts'

/** The event's id is the message id: one that is published again within the hour is stored once. */
export function publishEvent(connection: Connection, event: Event): Promise<void> {
  const subject = subjects.event(event.organizationId, subjectKind(event.kind), event.resourceId)
  return publishStored(connection, subject, event, {
    messageId: event.id,
    patienceMilliseconds: publishPatienceMilliseconds,
  })
}
