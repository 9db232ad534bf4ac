import type { Event } from '@hearth/contract'
import type { SeenEvent } from '../check/history.ts'

/** The recorded part of an event. */
export function seen({
  id,
  position,
  kind,
  resourceId,
  specVersion,
  statusVersion,
  resource,
}: Event): SeenEvent {
  return { id, position, kind, resourceId, specVersion, statusVersion, phase: phaseOf(resource) }
}

function phaseOf({ status }: Event['resource']): string | null {
  const isObject = typeof status === 'object' && status !== null
  return isObject && 'phase' in status && typeof status.phase === 'string' ? status.phase : null
}
