import type { warmPoolCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { refuseLongLife } from '../../../api/life-cap.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { type ProjectRow, planBytes, projects, refuseLargePlan, specOf } from '../../project/index.ts'
import { requireResource } from '../../quota/index.ts'
import { warmPools } from '../queries.ts'
import { showWarmPool } from '../show.ts'
import { emptyPoolStatus, type WarmPoolRow } from '../table.ts'
import { askForBranch } from './branch.ts'
import { refuseBadSizes } from './sizes.ts'

export const createWarmPool: Command<
  z.output<typeof warmPoolCreateSchema> & {
    /** Refuses a class that the project makes no prebuilds for. */
    ofPrebuilds?: boolean
  },
  WarmPoolRow,
  string | null | undefined
> = {
  prepare: (context, { spec }) => askForBranch(context, spec.projectId, spec.branch, 'body.spec.branch'),
  async run(tx, { caller }, { labels, spec: given, ofPrebuilds = false }, uncheckedBranch) {
    const { projectId, environmentClassId, ...spec } = given
    const project = await projects.get(tx, caller, projectId)
    const environmentClass = await environmentClasses.get(tx, caller, environmentClassId)
    if (project.phase === 'deleting')
      throw new HearthError('conflict', `project ${project.name} is being deleted`)
    if (ofPrebuilds) refuseWithoutPrebuilds(project, environmentClass)
    refuseLargePlan(planBytes(project.spec, spec.setup), 0)
    refuseBadSizes(spec)
    refuseLongLife(spec.life, caller.lifeCap, 'body.spec.life')
    await requireResource(tx, project.organization_id, caller.limits, 'warmPools')
    const row = await warmPools.insert(
      tx,
      {
        organizationId: project.organization_id,
        name: `${project.name}-${environmentClass.name}`,
        creator: caller.principalId,
        labels,
        spec,
      },
      {
        status: { ...emptyPoolStatus, uncheckedBranch: uncheckedBranch ?? null },
        project_id: project.id,
        environment_class_id: environmentClass.id,
        phase: spec.enabled ? 'filling' : 'disabled',
      },
      `project ${project.name} has a pool of class ${environmentClass.name} already`,
    )
    await recordEvent(tx, 'created', await showWarmPool(tx, row))
    await wake(tx, 'warm-pool', row.id)
    return row
  },
}

function refuseWithoutPrebuilds(project: ProjectRow, { id, name }: { id: string; name: string }): void {
  const classes = specOf(project).prebuilds?.classes ?? []
  if (classes.includes(id) || classes.includes(name)) return
  const those = classes.length === 0 ? 'none' : classes.join(', ')
  throw new HearthError(
    'unprocessable',
    `project ${project.name} makes no prebuilds of class ${name} (${id}); it makes them of: ${those}`,
  )
}
