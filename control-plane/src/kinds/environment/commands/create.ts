import type { environmentCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { projects } from '../../project/index.ts'
import { createEnvironment as create } from '../lifecycle/create.ts'
import type { EnvironmentRow } from '../table.ts'

/** Creates one environment of a project, outside any pool. */
export const createEnvironment: Command<z.output<typeof environmentCreateSchema>, EnvironmentRow> = {
  async run(tx, { services, caller }, { name, labels, spec }) {
    const project = await projects.get(tx, caller, spec.projectId)
    if (project.phase === 'deleting')
      throw new HearthError('conflict', `project ${project.name} is being deleted`)
    return create(tx, {
      project,
      environmentClass: await environmentClasses.get(tx, caller, spec.environmentClassId),
      owner: null,
      claimId: null,
      creator: caller.principalId,
      limits: caller.limits,
      name,
      labels,
      now: services.clock.now(),
    })
  },
}
