import { webAppSeconds, type webAppUpdateSchema } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import { found, requireVersion } from '../../../api/lookup.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { given } from '../../../resource/change.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { type EnvironmentRow, environments, requireEntry } from '../../environment/index.ts'
import { beginJob } from '../../job/index.ts'
import { KeptProcesses } from '../../process/index.ts'
import { desireDeletion, refuseGoing } from '../deletion.ts'
import { webApps } from '../queries.ts'
import { toWebApp, type WebAppRow } from '../table.ts'
import { setUpRole, setUpTask } from '../tasks.ts'
import { changeWebApp } from '../write.ts'

/** A web app under lock with its environment, which the caller may enter; the environment is locked first, as everywhere. */
async function lockForChange(
  tx: DatabaseTransaction,
  { caller, expectedVersion }: CommandContext,
  reference: string,
): Promise<{ row: WebAppRow; machine: EnvironmentRow }> {
  const { id, environment_id } = found(await webApps.find(tx, caller, reference), 'web app', reference)
  const machine = found(await environments.lockById(tx, environment_id), 'web app', reference)
  await requireEntry(tx, caller, machine)
  const row = found(await webApps.lockById(tx, id), 'web app', reference)
  requireVersion(expectedVersion, row.spec_version)
  return { row, machine }
}

/** Changes how it is shown. What it was made with stays as it is. */
export const changeWebAppSpec: Command<OnOne<z.output<typeof webAppUpdateSchema>>, WebAppRow> = {
  async run(tx, context, { reference, body: { labels, spec = {} } }) {
    const { row } = await lockForChange(tx, context, reference)
    refuseGoing(row)
    refuseFixed(row, spec)
    const changed = await webApps.changeSpec(tx, row.id, {
      labels: labels ?? row.labels,
      spec: { ...row.spec, ...given(spec) },
    })
    await recordEvent(tx, 'updated', toWebApp(changed))
    return changed
  },
}

type Given = NonNullable<z.output<typeof webAppUpdateSchema>['spec']>

function refuseFixed({ name, spec }: WebAppRow, wanted: Given): void {
  for (const field of ['runtime', 'webServer', 'database', 'cache'] as const) {
    const value = wanted[field]
    if (value === undefined || value === spec[field]) continue
    throw invalidValue({
      field: `body.spec.${field}`,
      given: `${value ?? 'none'}`,
      expected: `${spec[field] ?? 'none'}, since that of a web app is chosen when it is made: make another one beside ${name}`,
    })
  }
}

/** Sets up one again whose set-up failed. */
export const retryWebApp: Command<OnOne, WebAppRow> = {
  async run(tx, context, { reference }) {
    const { row, machine } = await lockForChange(tx, context, reference)
    refuseGoing(row)
    if (row.phase === 'provisioning') return row
    const now = context.services.clock.now()
    const kept = await KeptProcesses.lock(tx, machine, now)
    const before = kept.of(row.id).find(({ spec }) => spec.keptBy?.role === setUpRole)
    const failure = before === undefined ? await kept.make([setUpTask(row)]) : await kept.start(before)
    if (failure != null) throw new HearthError('conflict', failure.message)
    await kept.settle()
    await beginJob(
      tx,
      { organizationId: row.organization_id, operation: 'web-app.create', kind: 'WebApp', id: row.id },
      { time: now.toISOString(), level: 'info', message: `setting up ${machine.name} again` },
    )
    const deadline = new Date(now.getTime() + webAppSeconds.provisioning * 1000)
    const again = await changeWebApp(tx, row, { phase: 'provisioning', deadline, failure: null, now })
    await wake(tx, 'web-app', machine.id)
    return again
  },
}

/** Ends what runs for it, and removes its files and databases, then itself. */
export const deleteWebApp: Command<OnOne<Force>, WebAppRow> = {
  async run(tx, context, { reference }) {
    const { row, machine } = await lockForChange(tx, context, reference)
    const unwanted = await desireDeletion(tx, row, { now: context.services.clock.now() })
    await wake(tx, 'web-app', machine.id)
    return unwanted
  },
}
