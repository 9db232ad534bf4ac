import type { checkpointCreateSchema } from '@hearth/contract'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import type { OnOne } from '../../../resource/routes.ts'
import type { SnapshotRow } from '../table.ts'
import { freeze, type LockMachine, lockClaimed, lockEnvironment } from './create.ts'

type CheckpointCommand = Command<OnOne<z.output<typeof checkpointCreateSchema>>, SnapshotRow>

const checkpoint = (lock: LockMachine): CheckpointCommand => ({
  async run(tx, context, { reference, body }) {
    const machine = await lock(tx, context.caller, reference)
    return freeze(tx, context, machine, { ...body, purpose: 'checkpoint' })
  },
})

/** Makes a point to which the machine of a claim, or an environment, can be put back. */
export const checkpointClaim = checkpoint(lockClaimed)
export const checkpointEnvironment = checkpoint(lockEnvironment)
