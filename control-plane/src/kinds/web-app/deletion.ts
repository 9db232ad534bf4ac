import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { recordEvent } from '../../resource/record.ts'
import { cancelDeployments, forgetDeployments } from '../deployment/index.ts'
import { beginJob } from '../job/index.ts'
import { closeRoutes } from '../route/index.ts'
import { changeSpaceStatus, forgetSpace, wantSpaceGone } from '../space/index.ts'
import { webApps } from './queries.ts'
import type { Scene } from './scene.ts'
import { toWebApp, type WebAppRow } from './table.ts'
import { changeWebApp, endJob } from './write.ts'

/** It is to go; what follows is its reconciler's. */
export async function desireDeletion(
  tx: DatabaseTransaction,
  row: WebAppRow,
  { now }: Pick<Scene, 'now'>,
): Promise<WebAppRow> {
  if (row.desired === 'delete') return row
  const unwanted = await webApps.changeSpec(tx, row.id, { desired: 'delete' })
  await recordEvent(tx, 'updated', toWebApp(unwanted))
  const subject = { organizationId: row.organization_id, kind: 'WebApp', id: row.id } as const
  await beginJob(
    tx,
    { ...subject, operation: 'web-app.delete' },
    { time: now.toISOString(), level: 'info', message: 'ending what runs for it' },
  )
  return unwanted
}

/** Nobody is led to it any more, and all that runs for it ends. */
export async function beginDeletion(
  tx: DatabaseTransaction,
  row: WebAppRow,
  deadline: Date,
  { environment, spaces, kept, now }: Scene,
): Promise<WebAppRow> {
  for (const space of spaces) {
    await cancelDeployments(tx, space.id, now)
    await changeSpaceStatus(tx, await wantSpaceGone(tx, space), {
      phase: 'deleting',
      status: { failure: null, waitsFor: null },
      now,
    })
  }
  await closeRoutes(
    tx,
    environment,
    spaces.flatMap(({ route_id }) => route_id ?? []),
    now,
  )
  for (const process of kept.all()) await kept.remove(process)
  return changeWebApp(tx, row, { phase: 'deleting', deadline, now })
}

/** Removes what is left of it here; `warning` says what may be left in its machine. */
export async function forget(
  tx: DatabaseTransaction,
  row: WebAppRow,
  warning: string | null,
  { environment, spaces, kept, now }: Scene,
): Promise<null> {
  for (const process of kept.all()) await kept.remove(process)
  await closeRoutes(
    tx,
    environment,
    spaces.flatMap(({ route_id }) => route_id ?? []),
    now,
  )
  for (const space of spaces) {
    // Where its machine went first, nobody has ended them.
    await cancelDeployments(tx, space.id, now)
    await forgetDeployments(tx, space.id)
    await forgetSpace(tx, space)
  }
  const message = warning === null ? 'the web app is gone' : `the web app is gone: ${warning}`
  await endJob(tx, row, 'web-app.create', { message, failure: { code: 'cancelled', message }, now })
  await endJob(tx, row, 'web-app.delete', { message, failure: null, now })
  await webApps.remove(tx, row.id)
  await tx.updateTable('environments').set({ has_web_app: false }).where('id', '=', environment.id).execute()
  await recordEvent(tx, 'deleted', toWebApp(row))
  return null
}

/** What is going is not changed any more. */
export function refuseGoing({ name, desired }: Pick<WebAppRow, 'name' | 'desired'>): void {
  if (desired === 'delete') throw new HearthError('conflict', `web app ${name} is being deleted`)
}
