import type { prebuildCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { environmentClasses } from '../../environment-class/index.ts'
import { projects, refuseMissingBranch, sourcesOf, specOf } from '../../project/index.ts'
import { makePrebuild } from '../make.ts'
import type { PrebuildRow } from '../table.ts'

/** Makes a prebuild of a project for a class, which need not be one of those that it is made for by itself. */
export const createPrebuild: Command<z.output<typeof prebuildCreateSchema>, PrebuildRow> = {
  async prepare({ services, caller, signal }, { spec: { projectId, branch } }) {
    const project = branch === null ? undefined : await projects.find(services.database, caller, projectId)
    if (project === undefined) return
    await refuseMissingBranch(
      services,
      sourcesOf(services, project),
      { branch, field: 'body.spec.branch' },
      signal,
    )
  },
  async run(tx, { services, caller }, { labels, spec }) {
    const project = await projects.get(tx, caller, spec.projectId)
    if (project.phase === 'deleting')
      throw new HearthError('conflict', `project ${project.name} is being deleted`)
    const reference = spec.environmentClassId ?? specOf(project).prebuilds?.classes[0]
    if (reference === undefined)
      throw new HearthError('invalid', `project ${project.name} names no class for its prebuilds: name one`, {
        details: [
          {
            field: 'body.spec.environmentClassId',
            given: 'nothing',
            expected: 'an environment class, by id or name',
          },
        ],
      })
    return makePrebuild(tx, {
      project,
      environmentClass: await environmentClasses.get(tx, caller, reference),
      trigger: { kind: 'manual', by: null, ref: null, commit: null },
      executorId: caller.principalId,
      timeoutSeconds: spec.timeoutSeconds,
      incremental: spec.incremental,
      branch: spec.branch,
      labels,
      now: services.clock.now(),
    })
  },
}
