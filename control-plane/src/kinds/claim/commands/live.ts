import type { extendSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { OnOne } from '../../../resource/routes.ts'
import {
  type EnvironmentRow,
  environments,
  extend,
  noteActivity,
  spokenOver,
} from '../../environment/index.ts'
import { claims } from '../queries.ts'
import type { ClaimRow } from '../table.ts'

/** Puts the ends of a claim's environment off. */
export const extendClaim: Command<OnOne<z.output<typeof extendSchema>>, ClaimRow> = {
  async run(tx, context, { reference, body: { seconds } }) {
    const { row, environment } = await lockMachine(tx, context, reference)
    await extend(tx, environment, seconds, context.services.clock.now())
    return row
  },
}

/** Says that somebody uses a claim's environment, in a way that Hearth cannot see. */
export const useClaim: Command<OnOne, ClaimRow> = {
  async run(tx, context, { reference }) {
    const { row, environment } = await lockMachine(tx, context, reference)
    await noteActivity(tx, environment, context.services.clock.now())
    return row
  },
}

async function lockMachine(
  tx: DatabaseTransaction,
  { caller }: CommandContext,
  reference: string,
): Promise<{ row: ClaimRow; environment: EnvironmentRow }> {
  const row = await claims.get(tx, caller, reference)
  const environment =
    row.environment_id === null ? undefined : await environments.lockById(tx, row.environment_id)
  if (environment?.claim_id === row.id && row.phase !== 'released') return { row, environment }
  const ended = row.status.ended ?? null
  const because = ended === null ? 'its environment is gone' : spokenOver(ended)
  throw new HearthError('conflict', `claim ${row.name} is released, because ${because}`)
}
