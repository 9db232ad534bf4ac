import type { Event } from '@hearth/contract'
import type { SeenEvent } from '../check/history.ts'

/** What is kept of an event. */
export function seen({ id, position, kind, resourceId, specVersion, statusVersion }: Event): SeenEvent {
  return { id, position, kind, resourceId, specVersion, statusVersion }
}
