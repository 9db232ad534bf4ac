import { logChunkSchema } from '@hearth/contract'
import { z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import type { Application } from '../../api/application.ts'
import { readers } from '../../api/caller.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams } from '../../api/lookup.ts'
import type { Services } from '../../api/services.ts'
import { followEvents, newestPosition } from '../event/index.ts'
import { findEnvironment } from './queries.ts'
import type { EnvironmentRow } from './table.ts'

const querySchema = z.strictObject({
  step: z
    .string()
    .max(128)
    .optional()
    .meta({ description: 'As in `clone_repo.shop`; by default every step' }),
  follow: z.enum(['true', 'false']).default('false'),
})

export function addLogRoute(application: Application, services: Services): void {
  const { database, messaging } = services
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/environments/{id}/logs',
    tag: 'Environments',
    summary: 'What the steps print, as a stream; with follow=true until provisioning has ended',
    roles: readers,
    params: idParams,
    query: querySchema,
    answer: {
      status: 200,
      schema: logChunkSchema,
      description: 'Pieces of output',
      mediaType: 'text/event-stream',
    },
    handle: async ({ caller, params, query, context }) => {
      const row = found(
        await findEnvironment(database, caller.organizationId, params.id),
        'environment',
        params.id,
      )
      return streamSSE(context, async (stream) => {
        const ended = new AbortController()
        stream.onAbort(() => ended.abort())
        const signal = AbortSignal.any([ended.signal, services.stopping])
        const follow = query.follow === 'true' && provisions(row)
        const until = follow ? await untilProvisioned(services, row, signal) : signal
        const step = query.step === undefined ? {} : { step: query.step }
        for await (const chunk of messaging.readLogs(row.id, { ...step, follow, signal: until })) {
          await stream.writeSSE({ data: JSON.stringify(chunk) })
        }
        // Without its end the client goes on with another replica, or with this one when it is back.
        if (services.stopping.aborted) await stream.write('retry: 100\n: this control plane stops\n\n')
        else await stream.writeSSE({ event: 'end', data: '{}' })
      })
    },
  })
}

function provisions(row: Pick<EnvironmentRow, 'phase'>): boolean {
  return row.phase === 'pending' || row.phase === 'provisioning'
}

/** A signal that ends shortly after the environment has left provisioning: its last output travels another way. */
async function untilProvisioned(
  services: Services,
  row: EnvironmentRow,
  signal: AbortSignal,
): Promise<AbortSignal> {
  const done = new AbortController()
  const filter = { organizationId: row.organization_id, kind: 'Environment' as const, resourceId: row.id }
  const position = await newestPosition(services.database)
  const watch = async () => {
    const now = await findEnvironment(services.database, row.organization_id, row.id)
    if (now !== undefined && provisions(now)) {
      for await (const event of followEvents(services, filter, position, signal)) {
        const phase =
          event === null ? 'provisioning' : (event.resource as { status?: { phase?: string } }).status?.phase
        if (phase !== 'pending' && phase !== 'provisioning') break
      }
    }
    setTimeout(() => done.abort(), 500)
  }
  watch().catch((error: unknown) => {
    services.log.warn(
      { err: error, environmentId: row.id },
      'could not follow an environment to the end of its provisioning',
    )
    done.abort()
  })
  return AbortSignal.any([signal, done.signal])
}
