import type { Event } from '@hearth/contract'
import type { SeenEvent } from '../check/history.ts'

/** The recorded part of an event. */
export function seen({ id, position, kind, resourceId, specVersion, statusVersion }: Event): SeenEvent {
  return { id, position, kind, resourceId, specVersion, statusVersion }
}
