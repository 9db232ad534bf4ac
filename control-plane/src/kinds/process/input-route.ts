import { invalidValue } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { sql } from 'kysely'
import { byteStream } from '../../api/byte-stream.ts'
import { addEndpoint } from '../../api/endpoint.ts'
import { found, idParams } from '../../api/lookup.ts'
import { shownValue } from '../../api/shown-value.ts'
import type { Queryable } from '../../database/connection.ts'
import type { AddRoute } from '../../resource/routes.ts'
import { artifactBytes } from '../artifact/index.ts'

/** For agents: what a process of theirs needs in its guest. */
export const inputRoute: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/artifacts/{id}/bytes',
    tag: 'Artifacts',
    summary:
      'For agents: the bytes of an artifact that a process of the runner needs, from `Range: bytes=N-` on',
    roles: ['runner'],
    params: idParams,
    answer: {
      status: 200,
      schema: z.string().meta({ format: 'binary' }),
      description: 'The bytes; 206 with a range',
      mediaType: 'application/octet-stream',
    },
    handle: async ({ caller, params: { id }, context }) => {
      const length = found(await bytesFor(services.database, caller.runnerId, id), 'artifact', id)
      const range = context.req.header('Range')
      const from = range === undefined ? 0 : startOf(range, length)
      const opened = services.streams.open(caller)
      const pieces = artifactBytes(services.database, { id, length, from })
      return new Response(
        byteStream(pieces, () => opened[Symbol.dispose]()),
        {
          status: range === undefined ? 200 : 206,
          headers: {
            'Content-Type': 'application/octet-stream',
            'Content-Length': String(length - from),
            ...(range === undefined ? {} : { 'Content-Range': `bytes ${from}-${length - 1}/${length}` }),
          },
        },
      )
    },
  })

/** How many bytes it has; undefined where no process that the runner was ordered to see to needs it. */
async function bytesFor(
  queryable: Queryable,
  runnerId: string | null,
  artifactId: string,
): Promise<number | undefined> {
  const row = await queryable
    .selectFrom('processes')
    .innerJoin('artifacts', 'artifacts.organization_id', 'processes.organization_id')
    .select('artifacts.bytes')
    .where('processes.runner_id', '=', runnerId)
    .where('artifacts.id', '=', artifactId)
    .where('artifacts.digest', 'is not', null)
    .where(sql<boolean>`processes.spec->'inputs' @> ${JSON.stringify([{ artifactId }])}::jsonb`)
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? undefined : Number(row.bytes)
}

function startOf(range: string, length: number): number {
  const start = Number(/^bytes=(\d{1,12})-$/.exec(range)?.[1] ?? Number.NaN)
  if (start < length) return start
  throw invalidValue({
    field: 'header.Range',
    given: shownValue(range, []),
    expected: `bytes=N- with N below ${length}`,
  })
}
