import { spaceTypes, type webAppCreateSchema, webAppSeconds } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { beginJob } from '../../job/index.ts'
import { KeptProcesses, lockPlace } from '../../process/index.ts'
import { createRoute } from '../../route/index.ts'
import { insertSpace, placeOf } from '../../space/index.ts'
import { lockWebAppOf, webApps } from '../queries.ts'
import { toWebApp, type WebAppRow } from '../table.ts'
import { setUpTask } from '../tasks.ts'

/** Makes a web app on a machine: its two spaces with their routes, and the task that sets them up. */
export const createWebApp: Command<z.output<typeof webAppCreateSchema>, WebAppRow> = {
  async run(tx, context, { name, labels, spec: { environment, ...spec } }) {
    const { caller, services } = context
    const now = services.clock.now()
    const machine = await lockPlace(tx, caller, { environment })
    refuseUnready(machine)
    await refuseSecond(tx, machine)
    const spaceIds = { uat: newId(), production: newId() }
    const { organizationId, principalId: creator } = caller
    const row = await webApps.insert(
      tx,
      { organizationId, creator, name, labels, spec },
      {
        environment_id: machine.id,
        phase: 'provisioning',
        phase_since: now,
        deadline: new Date(now.getTime() + webAppSeconds.provisioning * 1000),
        desired: 'keep',
        status: { spaceIds, waitsFor: null, failure: null, observedSpecVersion: 1 },
      },
      `the name ${name} is taken: give the web app another one, since names of web apps are unique in an installation`,
    )
    await tx.updateTable('environments').set({ has_web_app: true }).where('id', '=', machine.id).execute()
    await recordEvent(tx, 'created', toWebApp(row))
    const subject = { organizationId, operation: 'web-app.create', kind: 'WebApp', id: row.id } as const
    const entry = { time: now.toISOString(), level: 'info', message: `setting up ${machine.name}` } as const
    await beginJob(tx, subject, entry)
    await makeSpaces(tx, context, row, machine)
    const kept = await KeptProcesses.lock(tx, { ...machine, has_web_app: true }, now)
    const failure = await kept.make([setUpTask(row)])
    if (failure !== null) throw new HearthError('conflict', failure.message)
    await kept.settle()
    await wake(tx, 'web-app', machine.id)
    return row
  },
}

function refuseUnready({ name, phase, desired_phase, owner_kind, claim_id }: EnvironmentRow): void {
  if (owner_kind !== null && claim_id === null)
    throw new HearthError('conflict', `environment ${name} is a ${owner_kind}’s: claim one, or make one`)
  if (phase === 'failed')
    throw new HearthError('conflict', `environment ${name} has failed: retry it, or give another one`)
  if (desired_phase !== 'running')
    throw new HearthError('conflict', `environment ${name} is ${phase}: start it before it gets a web app`)
}

async function refuseSecond(tx: DatabaseTransaction, { id, name }: EnvironmentRow): Promise<void> {
  const other = await lockWebAppOf(tx, id)
  if (other === undefined) return
  throw new HearthError(
    'conflict',
    `environment ${name} has web app ${other.name} already: a machine has one web app at most`,
    { details: [{ field: 'body.spec.environment', given: name, expected: 'a machine that has no web app' }] },
  )
}

/** Each with a route that is open to everybody: its platform domain. */
async function makeSpaces(
  tx: DatabaseTransaction,
  context: CommandContext,
  { id, name, status }: WebAppRow,
  machine: EnvironmentRow,
): Promise<void> {
  for (const type of spaceTypes) {
    const route = await createRoute.run(
      tx,
      context,
      {
        name: type === 'production' ? name : `${name}-${type}`,
        labels: { 'web-app': name, space: type },
        spec: { environment: machine.id, port: placeOf(type).port, access: 'public' },
      },
      undefined,
    )
    await insertSpace(tx, context.caller, {
      id: status.spaceIds[type],
      name: `${name}-${type}`,
      type,
      webAppId: id,
      route,
      now: context.services.clock.now(),
    })
  }
}
