import { pipelineEventLimits } from '@hearth/contract'
import { newId, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Database, DatabaseTransaction } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { decideMonitor } from './monitor.decide.ts'
import { insertPipelineEvent, pipelines, pipelinesToRecord, readPipelineEvents } from './queries.ts'
import { detailsOf, type PipelineRow, statusesOf } from './table.ts'

/** The columns that say which event is the newest. */
type Recorded = Pick<PipelineRow, 'event_sequence' | 'event_at' | 'has_unrecorded'>

/** Writes an event of how a pipeline is, where one is due, in the transaction that makes it so. The row must be locked. */
export async function recordPipeline(
  tx: DatabaseTransaction,
  row: PipelineRow,
  now: Date,
): Promise<Recorded> {
  const [last] = await readPipelineEvents(tx, row.id, { limit: 1 })
  const present = { statuses: statusesOf(row), details: detailsOf(row) }
  const newest =
    last === undefined ? null : { statuses: last.statuses, details: last.details, at: last.recorded_at }
  const decision = decideMonitor(newest, present, now)
  if (decision !== 'record')
    return {
      event_sequence: row.event_sequence,
      event_at: row.event_at,
      has_unrecorded: decision === 'later',
    }
  // Times rise with the order of events, whichever replica's clock is behind.
  const recorded_at = newest === null || newest.at < now ? now : newest.at
  const sequence = String(Number(row.event_sequence) + 1)
  const event = { pipeline_id: row.id, sequence, id: newId(), recorded_at, ...present }
  await insertPipelineEvent(tx, event, pipelineEventLimits.kept)
  return { event_sequence: sequence, event_at: recorded_at, has_unrecorded: false }
}

/** Pipelines of which events are written at a time. */
const mostAtOnce = 500

/** Writes the events that are due though nothing changes. One that cannot be written keeps no other from it. */
export async function recordSilent(database: Database, now: Date, log: Logger): Promise<void> {
  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000)
  const { detailsSeconds, silenceSeconds } = pipelineEventLimits
  const times = { details: ago(detailsSeconds), silence: ago(silenceSeconds) }
  for (const id of await pipelinesToRecord(database, times, mostAtOnce))
    try {
      await transact(database, (tx) => recordOne(tx, id, now))
    } catch (error) {
      log.warn({ err: toError(error), pipeline: id }, 'could not record how a pipeline is')
    }
}

async function recordOne(tx: DatabaseTransaction, id: string, now: Date): Promise<void> {
  const row = await pipelines.lockById(tx, id)
  if (row === undefined) return
  const recorded = await recordPipeline(tx, row, now)
  await tx.updateTable('pipelines').set(recorded).where('id', '=', id).execute()
}
