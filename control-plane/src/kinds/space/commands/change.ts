import { processLimits, type spaceUpdateSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { changeRoute, domainAtFirst } from '../../route/index.ts'
import { readAppFacts } from '../app-facts.ts'
import { cronTask } from '../cron-task.ts'
import { spaces } from '../queries.ts'
import { type SpaceRow, toSpace } from '../table.ts'
import { lockSpaceForChange } from './lock.ts'

/** Stops or starts a space, and changes its variables, cron jobs and custom domain; what runs follows. */
export const changeSpace: Command<OnOne<z.output<typeof spaceUpdateSchema>>, SpaceRow> = {
  async run(tx, context, { reference, body: { labels, spec = {} } }) {
    const { row, machine } = await lockSpaceForChange(tx, context, reference)
    const { desired = row.desired, variables = row.spec.variables, cronJobs = row.spec.cronJobs } = spec
    const now = context.services.clock.now()
    const { customDomain = row.spec.customDomain ?? null } = spec
    if (desired === 'stopped' && row.desired !== 'stopped') await refuseUnderway(tx, row)
    const changed = await spaces.changeSpec(tx, row.id, {
      labels: labels ?? row.labels,
      desired,
      spec: { variables, cronJobs, customDomain },
      status: {
        ...{ ...row.status, refusedCronJobs: {} },
        ...(spec.customDomain === undefined ? {} : { domain: domainAtFirst(customDomain, now) }),
      },
    })
    await refuseLarge(tx, changed)
    if (spec.customDomain !== undefined && row.route_id !== null)
      await changeRoute.run(
        tx,
        // The version that was expected is that of the space.
        { ...context, expectedVersion: null },
        { reference: row.route_id, body: { spec: { customDomain } } },
        undefined,
      )
    await recordEvent(tx, 'updated', toSpace(changed))
    await wake(tx, 'web-app', machine.id)
    return changed
  },
}

async function refuseUnderway(tx: DatabaseTransaction, { id, name }: SpaceRow): Promise<void> {
  const underway = await tx
    .selectFrom('deployments')
    .select('name')
    .where('space_id', '=', id)
    .where('finished_at', 'is', null)
    .executeTakeFirst()
  if (underway === undefined) return
  throw new HearthError(
    'conflict',
    `deployment ${underway.name} is underway in space ${name}: wait for its end, or cancel it`,
  )
}

/** A command goes to its machine together with the variables. */
async function refuseLarge(tx: DatabaseTransaction, row: SpaceRow): Promise<void> {
  const app = await readAppFacts(tx, row.web_app_id)
  for (const [index, job] of row.spec.cronJobs.entries()) {
    const bytes = Buffer.byteLength(cronTask(row, app, job).spec.command)
    if (bytes > processLimits.commandBytes)
      throw invalidValue({
        field: `body.spec.cronJobs.${index}.command`,
        given: `${bytes} bytes with the variables of the space`,
        expected: `at most ${processLimits.commandBytes} bytes with them`,
      })
  }
}
