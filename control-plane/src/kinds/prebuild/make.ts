import type { PrebuildTrigger } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wake } from '../../reconciling/wake.ts'
import { recordEvent } from '../../resource/record.ts'
import { buildPlan, prebuiltConfigurationOf } from '../environment/index.ts'
import type { EnvironmentClassRow } from '../environment-class/index.ts'
import { type ProjectRow, specOf } from '../project/index.ts'
import { deadlineOf } from './phase.ts'
import { pendingPrebuild, prebuilds } from './queries.ts'
import { emptyPrebuildStatus, type PrebuildRow, toPrebuild } from './table.ts'

export interface NewPrebuild {
  project: ProjectRow
  environmentClass: EnvironmentClassRow
  trigger: PrebuildTrigger
  /** In whose name it runs. */
  executorId: string | null
  /** Without it what the project says. */
  timeoutSeconds?: number | undefined
  incremental?: boolean | undefined
  branch: string | null
  labels: Record<string, string>
  now: Date
}

/** Writes a prebuild, pending; its reconciler does the rest. */
export async function makePrebuild(tx: DatabaseTransaction, made: NewPrebuild): Promise<PrebuildRow> {
  const { project, environmentClass, trigger, executorId, branch, now } = made
  const spec = specOf(project)
  const timeoutSeconds = made.timeoutSeconds ?? spec.prebuilds?.timeoutSeconds ?? 3_600
  const incremental = made.incremental ?? spec.prebuilds?.incremental ?? true
  const id = newId()
  const row = await prebuilds.insert(
    tx,
    {
      id,
      organizationId: project.organization_id,
      creator: executorId,
      name: `${project.name}-${environmentClass.name}-${id.slice(-6)}`,
      labels: made.labels,
      spec: { trigger, executorId, timeoutSeconds, incremental, branch },
    },
    {
      project_id: project.id,
      environment_class_id: environmentClass.id,
      phase: 'pending',
      desired_phase: 'completed',
      deadline: deadlineOf('pending', timeoutSeconds, null, now),
      configuration: prebuiltConfigurationOf(buildPlan(spec, environmentClass.spec, null)),
      status: emptyPrebuildStatus,
    },
  )
  await recordEvent(tx, 'created', toPrebuild(row, null))
  await wake(tx, 'prebuild', id)
  return row
}

/** The same for what Hearth does by itself: one that is pending already will build what there is then. */
export async function triggerPrebuild(tx: DatabaseTransaction, made: NewPrebuild): Promise<PrebuildRow> {
  const { project, environmentClass, branch } = made
  return (
    (await pendingPrebuild(tx, project.id, environmentClass.id, branch)) ?? (await makePrebuild(tx, made))
  )
}
