import { environmentPhaseTable } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { Selectable } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import type { EnvironmentClassTable } from '../environment-class/table.ts'
import { recordEvents } from '../event/index.ts'
import { insertJob } from '../job/index.ts'
import type { ProjectRow } from '../project/index.ts'
import { buildPlan, configurationOf, type PoolSetup } from './plan.ts'
import { type EnvironmentRow, emptyStatus, toEnvironment } from './table.ts'

export interface NewEnvironment {
  project: Pick<ProjectRow, 'id' | 'organization_id' | 'name' | 'spec'>
  environmentClass: Pick<Selectable<EnvironmentClassTable>, 'id' | 'spec'>
  warmPool: ({ id: string } & PoolSetup) | null
  /** Set for a machine that tests the pool's steps: it never is a member, and stays this long when they have ended. */
  test?: { keepSeconds: number }
  claimId: string | null
  creator: string | null
  name?: string | undefined
  labels?: Record<string, string>
  now: Date
}

/** Writes the wish for one machine; its reconciler does the rest. */
export async function createEnvironment(
  tx: DatabaseTransaction,
  created: NewEnvironment,
): Promise<EnvironmentRow> {
  const { project, environmentClass, warmPool, test, now } = created
  const id = newId()
  const plan = buildPlan(project.spec, environmentClass.spec, warmPool)
  const row = await tx
    .insertInto('environments')
    .values({
      id,
      organization_id: project.organization_id,
      // The end of a UUIDv7 is random, its start a time that machines made together share.
      name: created.name ?? `${project.name}-${test === undefined ? '' : 'test-'}${id.slice(-6)}`,
      creator: created.creator,
      labels: JSON.stringify(created.labels ?? {}),
      spec: JSON.stringify({ plan }),
      status: JSON.stringify(emptyStatus),
      project_id: project.id,
      environment_class_id: environmentClass.id,
      warm_pool_id: test === undefined ? (warmPool?.id ?? null) : null,
      tested_pool_id: test === undefined ? null : (warmPool?.id ?? null),
      keep_seconds: test?.keepSeconds ?? null,
      claim_id: created.claimId,
      runner_id: null,
      phase: 'pending',
      desired_phase: 'running',
      deadline: new Date(now.getTime() + (environmentPhaseTable.pending.deadlineSeconds ?? 0) * 1000),
      configuration: configurationOf(plan),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const subject = {
    organizationId: row.organization_id,
    operation: 'environment.provision' as const,
    kind: 'Environment',
    id,
  }
  const entry = { time: now.toISOString(), level: 'info' as const, message: 'waiting for a runner' }
  const job = await insertJob(tx, subject, entry)
  await recordEvents(tx, [
    { verb: 'created', job },
    { verb: 'created', resource: toEnvironment(row) },
  ])
  await wake(tx, 'environment', id)
  return row
}
