import { processLimits, type spaceUpdateSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { changeRoute, routeQueries } from '../../route/index.ts'
import { addressesOf, type SpaceAddresses } from '../addresses.ts'
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
    if (desired === 'stopped' && row.desired !== 'stopped') await refuseUnderway(tx, row)
    const { customDomain } = spec
    const addresses = customDomain === undefined ? {} : await moveDomain(tx, context, row, customDomain)
    const changed = await spaces.changeSpec(tx, row.id, {
      labels: labels ?? row.labels,
      desired,
      spec: { variables, cronJobs },
      status: { ...row.status, refusedCronJobs: {}, ...addresses },
    })
    await refuseLarge(tx, changed)
    await recordEvent(tx, 'updated', toSpace(changed))
    await wake(tx, 'web-app', machine.id)
    return changed
  },
}

/** Gives the custom domain to the route that leads to the space, where it is kept; null takes it away. */
async function moveDomain(
  tx: DatabaseTransaction,
  context: CommandContext,
  { name, route_id }: SpaceRow,
  customDomain: string | null,
): Promise<SpaceAddresses> {
  const route = route_id === null ? undefined : await routeQueries.readById(tx, route_id)
  if (route === undefined) {
    if (customDomain === null) return addressesOf(undefined)
    const message = `space ${name} has no address that ${customDomain} could lead to: the route to it was deleted`
    throw new HearthError('conflict', message)
  }
  const changed = await changeRoute.run(
    tx,
    // The version that was expected is that of the space.
    { ...context, expectedVersion: null },
    { reference: route.id, body: { spec: { customDomain } } },
    undefined,
  )
  return addressesOf(changed)
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
