import type { DeploymentPhase, Failure, JobLogEntry, JobPhase } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { continueJob } from '../job/index.ts'
import { deployments } from './queries.ts'
import { type DeploymentRow, type StoredDeploymentStatus, toDeployment } from './table.ts'

export interface DeploymentChange {
  phase?: DeploymentPhase
  deadline?: Date | null
  status?: Partial<StoredDeploymentStatus>
  /** For its job. */
  said?: string
  now: Date
}

const ends: Partial<Record<DeploymentPhase, Exclude<JobPhase, 'running'>>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
}

/**
 * The only place that writes how a deployment stands: the row, its event and the log of its job. The row must have been
 * read under lock.
 */
export async function changeDeployment(
  tx: DatabaseTransaction,
  row: DeploymentRow,
  { phase = row.phase, now, said, ...change }: DeploymentChange,
): Promise<DeploymentRow> {
  const moves = phase !== row.phase
  const end = ends[phase]
  const status = { ...row.status, ...(moves ? { waitsFor: null } : {}), ...change.status }
  status.observedSpecVersion = row.spec_version
  const changed = await deployments.changeStatus(tx, row.id, {
    phase,
    status,
    deadline: change.deadline === undefined ? (moves ? null : row.deadline) : change.deadline,
    ...(moves ? { phase_since: now } : {}),
    ...(end === undefined || row.finished_at !== null ? {} : { finished_at: now }),
  })
  await recordEvent(tx, 'updated', toDeployment(changed))
  const isEnd = end !== undefined && row.finished_at === null
  if (said === undefined && !isEnd) return changed
  const subject = { operation: 'deployment.run', id: row.id } as const
  const failure = phase === 'succeeded' ? null : status.failure
  const entries = said === undefined ? [] : [entryOf(said, status, failure, now)]
  await continueJob(tx, subject, entries, isEnd ? { phase: end, failure, at: now } : undefined)
  return changed
}

function entryOf(
  said: string,
  { step }: StoredDeploymentStatus,
  failure: Failure | null,
  now: Date,
): JobLogEntry {
  const lines = failure?.lastLines ?? []
  return {
    time: now.toISOString(),
    level: failure === null ? 'info' : 'error',
    message: [said, ...lines].join('\n'),
    ...(step === null ? {} : { step }),
  }
}
