import { isDeepStrictEqual } from 'node:util'
import { type Pipeline, pipelinePhaseOf } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { pipelines } from './queries.ts'
import { recordPipeline } from './record.ts'
import { type PipelineRow, type StoredPipelineStatus, type StoredPipelineWork, toPipeline } from './table.ts'

/** What changes of a pipeline; what is not named stays. */
export interface PipelineChange
  extends Partial<
    Pick<
      PipelineRow,
      | (
          | 'resources'
          | 'desired'
          | 'runtime'
          | 'desired_runtime'
          | 'program'
          | 'storage'
          | 'spec'
          | 'deadline'
        )
      | ('environment_id' | 'snapshot_id' | 'volume_id')
    >
  > {
  status?: Partial<Omit<StoredPipelineStatus, 'since'>>
  work?: Partial<StoredPipelineWork>
  /** Columns that are no status. */
  others?: Partial<Pick<PipelineRow, 'name' | 'labels' | 'environment_class_id'>> & {
    code?: string
    udf_rust?: string
    udf_toml?: string
  }
  /** Whether somebody wished for it. */
  isWish?: boolean
  now: Date
}

/**
 * The only place that writes how a pipeline stands: the row, the times since when each status is so, its monitor event and
 * its event. The row must have been read under lock.
 */
export async function changePipelineRow(
  tx: DatabaseTransaction,
  row: PipelineRow,
  { status, work, others, isWish = false, now, ...columns }: PipelineChange,
): Promise<PipelineRow> {
  const next = { ...row, ...columns }
  const phase = pipelinePhaseOf(next.resources, next.runtime)
  const since = sinceOf(row, { ...next, phase }, now)
  const stood = { ...next, phase, status: { ...row.status, ...status, since } }
  const recorded = await recordPipeline(tx, stood, now)
  const write = isWish ? pipelines.changeSpec : pipelines.changeStatus
  const changed = await write(tx, row.id, {
    ...columns,
    ...others,
    phase,
    status: stood.status,
    ...(work === undefined ? {} : { work: { ...row.work, ...work } }),
    ...recorded,
  })
  await recordEvent(tx, 'updated', toPipeline(changed))
  return changed
}

/** Keeps what its reconciler alone has to know; nobody is told. The row must have been read under lock. */
export async function noteWork(
  tx: DatabaseTransaction,
  row: PipelineRow,
  noted: Partial<StoredPipelineWork>,
): Promise<PipelineRow> {
  const work = { ...row.work, ...noted }
  if (isDeepStrictEqual(work, row.work)) return row
  await tx
    .updateTable('pipelines')
    .set({ work: JSON.stringify(work) })
    .where('id', '=', row.id)
    .execute()
  return { ...row, work }
}

type Standing = Pick<
  PipelineRow,
  'resources' | 'desired' | 'runtime' | 'desired_runtime' | 'program' | 'phase' | 'spec'
>
type Since = Pipeline['status']['since']

/** What is wanted in one word: of the runtime or, until it has said how it is, as what it was started. */
export function desiredPhaseOf({ desired, desired_runtime, spec }: Standing): string {
  return desired === 'stopped' ? 'stopped' : (desired_runtime ?? spec.initial ?? 'running')
}

function sinceOf(before: Standing & { status: { since: Since } }, after: Standing, now: Date): Since {
  const { since } = before.status
  const at = now.toISOString()
  const of = <Time extends string | null>(was: unknown, is: unknown, time: Time) => (was === is ? time : at)
  return {
    resources: of(before.resources, after.resources, since.resources),
    desired: of(before.desired, after.desired, since.desired),
    runtime: after.runtime === null ? null : of(before.runtime, after.runtime, since.runtime),
    desiredRuntime:
      after.desired_runtime === null
        ? null
        : of(before.desired_runtime, after.desired_runtime, since.desiredRuntime),
    program: of(before.program, after.program, since.program),
    phase: of(before.phase, after.phase, since.phase),
    desiredPhase: of(desiredPhaseOf(before), desiredPhaseOf(after), since.desiredPhase),
  }
}
