import { nextRun, type PrebuildSchedule } from '@hearth/contract'
import { canonicalJson, toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Services } from '../../api/services.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { transact } from '../../database/transact.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { projects, specOf } from '../project/index.ts'
import { triggerPrebuild } from './make.ts'

/**
 * Makes the prebuilds that are due by their schedule. What was missed while no control plane ran is made once: the next
 * time is reckoned from now. Each project is one transaction, and on any number of replicas it is done once.
 */
export async function runDuePrebuilds({ database, clock, log }: Services): Promise<void> {
  const now = clock.now()
  const { rows } = await sql<{ id: string }>`
    SELECT projects.id FROM projects LEFT JOIN prebuild_schedules AS due ON due.project_id = projects.id
    WHERE projects.phase = 'active'
      AND (due.next_at <= ${now} OR due.schedule IS DISTINCT FROM projects.spec->'prebuilds'->'schedule')
    ORDER BY projects.id`.execute(database)
  for (const { id } of rows) {
    await transact(database, (tx) => runDue(tx, id, now)).catch((error: unknown) =>
      log.warn({ err: toError(error), projectId: id }, 'could not make the prebuilds of a schedule'),
    )
  }
}

/** When a project's schedule is to run, from what is stored of it: whether it is due now, and when next. */
export function decideDue(
  stored: { schedule: PrebuildSchedule; nextAt: Date | null } | null,
  schedule: PrebuildSchedule | null,
  now: Date,
): { isDue: boolean; nextAt: Date | null } {
  if (schedule === null) return { isDue: false, nextAt: null }
  const isSame = stored !== null && canonicalJson(stored.schedule) === canonicalJson(schedule)
  // A schedule that was changed does not make up for what the one before it has missed.
  if (isSame && stored.nextAt !== null && stored.nextAt > now) return { isDue: false, nextAt: stored.nextAt }
  return { isDue: isSame && stored.nextAt !== null, nextAt: nextRun(schedule, now) }
}

async function runDue(tx: DatabaseTransaction, projectId: string, now: Date): Promise<void> {
  const project = await projects.lockById(tx, projectId)
  if (project === undefined || project.phase !== 'active') return
  const configured = specOf(project).prebuilds
  const schedule = configured?.schedule ?? null
  const row = await tx
    .selectFrom('prebuild_schedules')
    .selectAll()
    .where('project_id', '=', projectId)
    .executeTakeFirst()
  const stored = row === undefined ? null : { schedule: row.schedule, nextAt: row.next_at }
  const { isDue, nextAt } = decideDue(stored, schedule, now)
  if (schedule === null) {
    await tx.deleteFrom('prebuild_schedules').where('project_id', '=', projectId).execute()
    return
  }
  const values = { schedule: JSON.stringify(schedule), next_at: nextAt }
  await tx
    .insertInto('prebuild_schedules')
    .values({ project_id: projectId, ...values })
    .onConflict((conflict) => conflict.column('project_id').doUpdateSet(values))
    .execute()
  if (!isDue) return
  for (const name of configured?.classes ?? []) {
    const scope = { organizationId: project.organization_id }
    const environmentClass = await environmentClasses.find(tx, scope, name)
    if (environmentClass === undefined) continue
    await triggerPrebuild(tx, {
      project,
      environmentClass,
      trigger: { kind: 'schedule', by: null, ref: null, commit: null },
      executorId: project.creator,
      branch: null,
      labels: {},
      now,
    })
  }
}
