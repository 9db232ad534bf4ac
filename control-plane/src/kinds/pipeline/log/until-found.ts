import type { ResourceKind } from '@hearth/contract'
import type { Services } from '../../../api/services.ts'
import { followEvents, newestPosition } from '../../event/index.ts'

/**
 * What `look` finds, as soon as it finds something: it is asked at first, and after each event of a resource. Null when the signal aborts
 * first.
 */
export async function untilFound<Found>(
  services: Services,
  of: { organizationId: string; kind: ResourceKind; resourceId: string },
  signal: AbortSignal,
  look: () => Promise<Found | null>,
): Promise<Found | null> {
  const position = await newestPosition(services.database)
  const first = await look()
  if (first !== null) return first
  for await (const _ of followEvents(services, of, position, signal)) {
    const found = await look()
    if (found !== null) return found
  }
  return null
}
