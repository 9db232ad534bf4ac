import type { EnvironmentPhase } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import type { Force, OnOne } from '../../../resource/routes.ts'
import { type SnapshotUsers, snapshots, usersOf } from '../queries.ts'
import { desireDeletion, settleSnapshot } from '../settle.ts'
import type { SnapshotRow } from '../table.ts'

/**
 * Deletes a snapshot. One in use is refused; with `force` only where a machine that uses it is on: its runners then
 * remove the memory at once, and the disk as soon as nothing stands on it.
 */
export const deleteSnapshot: Command<OnOne<Force>, SnapshotRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await snapshots.lockForChange(tx, context, reference)
    if (row.phase === 'deleted' || row.desired_phase === 'deleted') return row
    refuseUsed(row.name, await usersOf(tx, row.id), force)
    const now = context.services.clock.now()
    const because = { reason: 'requested' as const, principalId: context.caller.principalId }
    const settled = await settleSnapshot(tx, await desireDeletion(tx, row, because, now), now)
    await wake(tx, 'snapshot', row.id)
    return settled
  },
}

/** Phases in which a machine is on its host's memory, or is about to be. */
const on: ReadonlySet<string> = new Set<EnvironmentPhase>([
  'pending',
  'provisioning',
  'starting',
  'running',
  'stopping',
])
const namesShown = 10

/** Throws `conflict` for a snapshot that may not be deleted, and says what uses it. */
export function refuseUsed(name: string, users: SnapshotUsers, force: boolean): void {
  const { environments, children, prebuilds, pipelines } = users
  const running = environments.filter(({ phase }) => on.has(phase))
  const named = force
    ? running.map((environment) => `environment ${environment.name} (${environment.phase})`)
    : [
        ...environments.map((environment) => `environment ${environment.name} (${environment.phase})`),
        ...children.map((child) => `snapshot ${child.name}`),
        ...prebuilds.map((prebuild) => `prebuild ${prebuild.name}`),
        ...pipelines.map((pipeline) => `pipeline ${pipeline.name}`),
      ]
  if (named.length === 0) return
  const told = named.slice(0, namesShown).join(', ')
  const more = named.length > namesShown ? ` and ${named.length - namesShown} more` : ''
  const wayOut =
    running.length > 0 ? 'delete or stop those that run first' : 'delete them first, or use force=true'
  throw new HearthError('conflict', `snapshot ${name} is used by ${told}${more}: ${wayOut}`)
}
