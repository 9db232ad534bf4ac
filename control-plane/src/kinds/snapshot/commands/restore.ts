import type { restoreSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Caller } from '../../../api/caller.ts'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import { claims } from '../../claim/index.ts'
import { type EnvironmentRow, requireSource, restoreEnvironment } from '../../environment/index.ts'
import { newestCheckpoint, readHolders, snapshots } from '../queries.ts'
import { lockClaimed, lockEnvironment } from './create.ts'

type RestoreBody = z.output<typeof restoreSchema>

/** Puts the machine of a claim back to a checkpoint; returns the claim. */
export const restoreClaim: Command<OnOne<RestoreBody>, Awaited<ReturnType<typeof claims.get>>> = {
  async run(tx, context, { reference, body }) {
    await restore(tx, context, await lockClaimed(tx, context.caller, reference), body)
    return claims.get(tx, context.caller, reference)
  },
}

export const restoreMachine: Command<OnOne<RestoreBody>, EnvironmentRow> = {
  async run(tx, context, { reference, body }) {
    return restore(tx, context, await lockEnvironment(tx, context.caller, reference), body)
  },
}

async function restore(
  tx: DatabaseTransaction,
  { services, caller }: CommandContext,
  machine: EnvironmentRow,
  { checkpoint, memory }: RestoreBody,
): Promise<EnvironmentRow> {
  const snapshotId = await checkpointOf(tx, caller, machine, checkpoint)
  const snapshot = await requireSource(tx, caller, snapshotId)
  const holders = await readHolders(tx, [snapshotId])
  const isThere = holders.some((one) => one.phase === 'present' && one.runner_id === machine.runner_id)
  if (!isThere)
    throw new HearthError('conflict', `snapshot ${snapshot.name} is not on the runner of ${machine.name}`)
  const { limits } = caller
  return restoreEnvironment(tx, machine, { snapshot, memory, limits }, services.clock.now())
}

/** The id of the snapshot that was named, or of the newest checkpoint that is ready. */
async function checkpointOf(
  tx: DatabaseTransaction,
  caller: Caller,
  machine: EnvironmentRow,
  reference: string | undefined,
): Promise<string> {
  if (reference === undefined) {
    const newest = await newestCheckpoint(tx, machine.id)
    if (newest !== undefined) return newest.id
    throw new HearthError('conflict', `environment ${machine.name} has no checkpoint that is ready`)
  }
  const { id, name, environment_id } = await snapshots.get(tx, caller, reference)
  if (environment_id === machine.id || machine.source?.snapshotId === id) return id
  throw new HearthError('conflict', `snapshot ${name} was made of another environment than ${machine.name}`)
}
