import type { ServiceImpl } from '@connectrpc/connect'
import { HearthError } from '@hearth/foundation'
import { followEvents, newestPosition } from '../../../kinds/event/index.ts'
import { executionIdOf } from '../../../kinds/process/index.ts'
import type { EventService } from '../generated/gitpod/v1/event_pb.ts'
import { isWatched, startIn, toOnaEvents } from '../translate/event.ts'
import { callOf } from '../wire/call.ts'
import { connectErrorOf } from '../wire/error.ts'

export const eventService: ServiceImpl<typeof EventService> = {
  /** What happens from now on: whoever reads a resource once the stream is open misses nothing of it. */
  async *watchEvents({ scope, resourceTypeFilters }, context) {
    const { caller, services } = callOf(context)
    const environmentId = scope.case === 'environmentId' ? scope.value : null
    try {
      const after = await newestPosition(services.database)
      using opened = services.streams.open(caller)
      const signal = AbortSignal.any([context.signal, services.stopping, opened.tokenEnded])
      const filter = { organizationId: caller.organizationId }
      for await (const event of followEvents(services, filter, after, signal)) {
        if (event === null) continue
        const start = startIn(event, environmentId)
        const executionId =
          start === null ? null : await executionIdOf(services.database, start.taskId, start.request)
        for (const seen of toOnaEvents(event, environmentId, executionId))
          if (isWatched(seen, resourceTypeFilters)) yield seen.event
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
