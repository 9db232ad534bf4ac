import type { environmentCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { refuseLongLife } from '../../../api/life-cap.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { projects } from '../../project/index.ts'
import { newLife } from '../life/life.ts'
import { createEnvironment as create } from '../lifecycle/create.ts'
import { buildPlan } from '../lifecycle/plan.ts'
import { startFrom } from '../lifecycle/source.ts'
import type { EnvironmentRow } from '../table.ts'

/** Creates one environment of a project, outside any pool; from its image, or from a snapshot. */
export const createEnvironment: Command<z.output<typeof environmentCreateSchema>, EnvironmentRow> = {
  async run(tx, { services, caller }, { name, labels, spec }) {
    refuseLongLife(spec.life, caller.lifeCap, 'body.spec.life')
    const project = await projects.get(tx, caller, spec.projectId)
    if (project.phase === 'deleting')
      throw new HearthError('conflict', `project ${project.name} is being deleted`)
    const environmentClass = await environmentClasses.get(tx, caller, spec.environmentClassId)
    const plan = buildPlan(project.spec, environmentClass.spec, null)
    const started =
      spec.source === undefined ? {} : await startFrom(tx, caller, spec.source, { project, plan })
    const now = services.clock.now()
    return create(tx, {
      ...started,
      life: newLife([spec.life, project.spec.life], caller.lifeCap, now),
      project,
      environmentClass,
      owner: null,
      claimId: null,
      creator: caller.principalId,
      limits: caller.limits,
      name,
      labels,
      now,
    })
  },
}
