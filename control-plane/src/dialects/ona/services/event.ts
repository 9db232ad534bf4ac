import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import { searchEnvironments } from '../../../kinds/environment/index.ts'
import { followEvents, newestPosition } from '../../../kinds/event/index.ts'
import { executionIdOf } from '../../../kinds/process/index.ts'
import type { EventService } from '../generated/gitpod/v1/event_pb.ts'
import { isWatched, startIn, toOnaEvents } from '../translate/event.ts'
import { type Call, callOf } from '../wire/call.ts'
import { connectErrorOf } from '../wire/error.ts'
import { findHeldEnvironment } from './environment-shown.ts'

export const eventService: ServiceImpl<typeof EventService> = {
  /** What happens from now on: whoever reads a resource once the stream is open misses nothing of it. */
  async *watchEvents({ scope, resourceTypeFilters }, context) {
    const call = callOf(context)
    const { caller, services } = call
    const asksWhose = resourceTypeFilters.some(({ creatorIds }) => creatorIds.length > 0)
    const environmentId = scope.case === 'environmentId' ? scope.value : null
    try {
      if (environmentId !== null) await findHeldEnvironment(services.database, call, environmentId)
      const after = await newestPosition(services.database)
      using opened = services.streams.open(caller)
      const signal = AbortSignal.any([context.signal, services.stopping, opened.tokenEnded])
      const filter = { organizationId: caller.organizationId }
      for await (const event of followEvents(services, filter, after, signal)) {
        if (event === null) continue
        const start = startIn(event, environmentId)
        const executionId =
          start === null ? null : await executionIdOf(services.database, start.taskId, start.request)
        // What waited in a pool is its claimant's, whoever made the pool.
        const holder =
          asksWhose && event.kind === 'Environment' ? await holderOf(call, event.resourceId) : null
        for (const seen of toOnaEvents(event, environmentId, executionId))
          if (isWatched({ ...seen, creatorId: holder ?? seen.creatorId }, resourceTypeFilters))
            yield seen.event
      }
      if (!signal.aborted)
        throw new HearthError(
          'unavailable',
          'events came faster than they were read: connect again, and read anew',
        )
    } catch (thrown) {
      throw connectErrorOf(thrown)
    }
  },
}

async function holderOf({ services, caller }: Call, id: string | null): Promise<string | null> {
  if (id === null) return null
  const { organizationId } = caller
  const search = { ids: [id], whose: 'all' as const }
  const [row] = await searchEnvironments(services.database, { organizationId, limit: 1 }, search)
  return row?.held_by ?? null
}
