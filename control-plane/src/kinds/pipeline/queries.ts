import { sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'
import type { PipelineEventRow, PipelineRow, PipelineTextRow } from './table.ts'

const columns = [
  ...(['id', 'organization_id', 'name', 'creator', 'labels', 'created_at', 'updated_at'] as const),
  ...(['spec', 'spec_version', 'status', 'status_version', 'environment_class_id'] as const),
  ...(['phase', 'deadline', 'resources', 'desired', 'runtime', 'desired_runtime'] as const),
  ...(['program', 'storage', 'event_sequence', 'event_at', 'has_unrecorded'] as const),
  ...(['environment_id', 'snapshot_id', 'volume_id', 'work'] as const),
] as const

export const pipelines = resourceQueries('pipelines', { noun: 'pipeline', names: 'unique', columns })

/** By its name, also where that looks like an id. */
export function findPipelineNamed(queryable: Queryable, organizationId: string, name: string) {
  return queryable
    .selectFrom('pipelines')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .executeTakeFirst()
}

/** The texts of programs, as many as are asked for. */
export async function readProgramTexts(
  queryable: Queryable,
  ids: readonly string[],
): Promise<Map<string, PipelineTextRow>> {
  if (ids.length === 0) return new Map()
  const rows = await queryable
    .selectFrom('pipelines')
    .select(['id', 'spec', 'code', 'udf_rust', 'udf_toml'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Its events, the newest first. */
export async function readPipelineEvents(
  queryable: Queryable,
  pipelineId: string,
  { limit, id }: { limit: number; id?: string | undefined },
): Promise<PipelineEventRow[]> {
  let query = queryable
    .selectFrom('pipeline_events')
    .selectAll()
    .where('pipeline_id', '=', pipelineId)
    .orderBy('sequence', 'desc')
    .limit(limit)
  if (id !== undefined) query = query.where('id', '=', id)
  return query.execute()
}

/** Pipelines of which an event is due though nobody changes them. */
export async function pipelinesToRecord(
  queryable: Queryable,
  { details, silence }: { details: Date; silence: Date },
  limit: number,
): Promise<string[]> {
  const rows = await queryable
    .selectFrom('pipelines')
    .select('id')
    .where((where) =>
      where.or([
        where('event_at', '<=', silence),
        where.and([where('has_unrecorded', '=', true), where('event_at', '<=', details)]),
      ]),
    )
    .orderBy('event_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Pipelines that are to be compiled or cleared, should nobody have told them. */
export async function unsettledPipelines(queryable: Queryable): Promise<string[]> {
  const rows = await queryable
    .selectFrom('pipelines')
    .select('id')
    .where((where) => where.or([where('program', '=', 'pending'), where('storage', '=', 'clearing')]))
    .execute()
  return rows.map(({ id }) => id)
}

/** Writes the newest event, and removes the one that is one too many. */
export async function insertPipelineEvent(
  tx: DatabaseTransaction,
  { pipeline_id, sequence, id, recorded_at, statuses, details }: PipelineEventRow,
  kept: number,
): Promise<void> {
  await sql`
    WITH removed AS (
      DELETE FROM pipeline_events
      WHERE pipeline_id = ${pipeline_id} AND sequence <= ${sequence}::bigint - ${kept}
    )
    INSERT INTO pipeline_events (pipeline_id, sequence, id, recorded_at, statuses, details)
    VALUES (${pipeline_id}, ${sequence}, ${id}, ${recorded_at}, ${JSON.stringify(statuses)}::jsonb,
      ${JSON.stringify(details)}::jsonb)`.execute(tx)
}

/** The runner that has its volume, where machines may be placed: what is compiled there starts without a copy. */
export async function hostOfVolume(
  queryable: Queryable,
  { volume_id }: Pick<PipelineRow, 'volume_id'>,
): Promise<string | null> {
  if (volume_id === null) return null
  const host = await queryable
    .selectFrom('volumes')
    .innerJoin('runners', 'runners.id', 'volumes.runner_id')
    .select('runners.id')
    .where('volumes.id', '=', volume_id)
    .where('runners.phase', '=', 'active')
    .executeTakeFirst()
  return host?.id ?? null
}
