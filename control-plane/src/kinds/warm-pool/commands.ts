import type {
  warmPoolClearSchema,
  warmPoolCreateSchema,
  warmPoolTestCreateSchema,
  warmPoolUpdateSchema,
} from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../api/command.ts'
import type { OnOne } from '../../resource/routes.ts'
import type { EnvironmentRow } from '../environment/index.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { projects, refuseMissingBranch, sourcesOf } from '../project/index.ts'
import * as change from './change.ts'
import { lockPool, type PoolReference } from './pool-of-project.ts'
import { warmPools } from './queries.ts'
import { startTest } from './start-test.ts'
import type { WarmPoolRow } from './table.ts'

interface OnPool<Body> {
  reference: PoolReference
  body: Body
}

export const createWarmPool: Command<
  z.output<typeof warmPoolCreateSchema>,
  WarmPoolRow,
  string | null | undefined
> = {
  prepare: (context, { spec }) => askForBranch(context, spec.projectId, spec.branch, 'body.spec.branch'),
  async run(tx, { caller }, { labels, spec: { projectId, environmentClassId, ...spec } }, uncheckedBranch) {
    return change.createWarmPool(tx, {
      project: await projects.get(tx, caller, projectId),
      environmentClass: await environmentClasses.get(tx, caller, environmentClassId),
      creator: caller.principalId,
      limits: caller.limits,
      labels,
      spec,
      uncheckedBranch: uncheckedBranch ?? null,
    })
  },
}

/** Changes what is kept ready; the row is as it was when nothing differs. */
export const changeWarmPool: Command<
  OnPool<z.output<typeof warmPoolUpdateSchema>> & {
    /** Where the branch stands in the request, for the sentence that refuses it. */
    branchField?: string
  },
  WarmPoolRow,
  string | null | undefined
> = {
  async prepare(context, { reference, body, branchField = 'body.spec.branch' }) {
    const branch = body.spec?.branch
    if (branch == null) return undefined
    const project =
      typeof reference === 'string'
        ? (await warmPools.find(context.services.database, context.caller, reference))?.project_id
        : reference.project
    return project === undefined ? undefined : askForBranch(context, project, branch, branchField)
  },
  async run(tx, context, { reference, body: { labels, spec = {} } }, uncheckedBranch) {
    const row = await lockPool(tx, context, reference)
    return (await change.changeWarmPool(tx, row, { labels, spec, uncheckedBranch })) ?? row
  },
}

export const deleteWarmPool: Command<OnOne, WarmPoolRow> = {
  async run(tx, context, { reference }) {
    return change.removeWarmPool(tx, await warmPools.lockForChange(tx, context, reference))
  },
}

/** Removes every unclaimed member. */
export const clearWarmPool: Command<OnPool<z.output<typeof warmPoolClearSchema>>, WarmPoolRow> = {
  async run(tx, context, { reference, body }) {
    const { services, caller } = context
    const wanted = { ...body, principalId: caller.principalId, now: services.clock.now() }
    return change.clearWarmPool(tx, await lockPool(tx, context, reference), wanted)
  },
}

/** Tests a pool's steps on an environment that is not a member. */
export const testWarmPool: Command<
  OnPool<z.output<typeof warmPoolTestCreateSchema>>,
  { pool: WarmPoolRow; test: EnvironmentRow }
> = {
  async run(tx, context, { reference, body: { keepSeconds } }) {
    const { principalId: creator, limits } = context.caller
    const pool = await lockPool(tx, context, reference)
    const now = context.services.clock.now()
    return { pool, test: await startTest(tx, pool, { creator, limits, keepSeconds, now }) }
  },
}

/** Before the transaction, since it asks the repositories' own servers. A project that is not there is refused later. */
async function askForBranch(
  { services, caller, signal }: CommandContext,
  projectId: string,
  branch: string | null,
  field: string,
): Promise<string | null> {
  const project = branch === null ? undefined : await projects.find(services.database, caller, projectId)
  if (project === undefined) return null
  return refuseMissingBranch(services, sourcesOf(services, project), { branch, field }, signal)
}
