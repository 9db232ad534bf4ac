import type { Failure, JobOperation, WebAppPhase } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { continueJob } from '../job/index.ts'
import { webApps } from './queries.ts'
import { toWebApp, type WebAppRow } from './table.ts'

export interface WebAppChange {
  phase?: WebAppPhase
  deadline?: Date | null
  waitsFor?: string | null
  failure?: Failure | null
  now: Date
}

/** The only place that writes how a web app stands: the row, its event and the end of its job. It must have been locked. */
export async function changeWebApp(
  tx: DatabaseTransaction,
  row: WebAppRow,
  { phase = row.phase, now, ...change }: WebAppChange,
): Promise<WebAppRow> {
  const moves = phase !== row.phase
  const { waitsFor = moves ? null : row.status.waitsFor, failure = row.status.failure } = change
  const changed = await webApps.changeStatus(tx, row.id, {
    phase,
    deadline: change.deadline === undefined ? (moves ? null : row.deadline) : change.deadline,
    ...(moves ? { phase_since: now } : {}),
    status: { ...row.status, waitsFor, failure, observedSpecVersion: row.spec_version },
  })
  await recordEvent(tx, 'updated', toWebApp(changed))
  if (!moves) return changed
  if (phase === 'ready')
    await endJob(tx, row, 'web-app.create', { message: 'the web app is ready', failure: null, now })
  if (phase === 'failed') {
    const lines = [failure?.message ?? 'it failed', ...(failure?.lastLines ?? [])]
    await endJob(tx, row, 'web-app.create', { message: lines.join('\n'), failure, now })
  }
  if (phase === 'deleting') await cancelCreation(tx, row, now)
  return changed
}

/** Ends what it was made with, where that goes on. */
async function cancelCreation(tx: DatabaseTransaction, { id }: WebAppRow, now: Date): Promise<void> {
  const entry = {
    time: now.toISOString(),
    level: 'info',
    message: 'the web app is not wanted any more',
  } as const
  const end = { phase: 'cancelled', failure: null, at: now } as const
  await continueJob(tx, { operation: 'web-app.create', id }, [entry], end)
}

export async function endJob(
  tx: DatabaseTransaction,
  { id }: WebAppRow,
  operation: JobOperation,
  { message, failure, now }: { message: string; failure: Failure | null; now: Date },
): Promise<void> {
  const level = failure === null ? 'info' : 'error'
  const phase = failure === null ? 'succeeded' : 'failed'
  await continueJob(tx, { operation, id }, [{ time: now.toISOString(), level, message }], {
    phase,
    failure,
    at: now,
  })
}
