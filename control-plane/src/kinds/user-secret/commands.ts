import { type userSecretCreateSchema, userSecretLimits, type userSecretUpdateSchema } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { newResource } from '../../resource/change.ts'
import type { OnOne } from '../../resource/routes.ts'
import { forgetCallers } from '../token/index.ts'
import { countSecrets, ownSecrets, userSecrets } from './queries.ts'
import type { UserSecretRow } from './table.ts'

export const createUserSecret: Command<z.output<typeof userSecretCreateSchema>, UserSecretRow> = {
  async run(
    tx,
    { services, caller },
    { labels, spec: { value, expiresAt, variable = null, gitHost = null } },
  ) {
    const id = newId()
    const name = variable ?? gitHost ?? id
    await lockOwner(tx, caller.principalId)
    await requireRoom(tx, caller.principalId, 1, Buffer.byteLength(value))
    const spec = { variable, gitHost, expiresAt }
    const row = await userSecrets.insert(
      tx,
      { ...newResource(caller, { name, labels, spec }), id },
      { value: services.encryption.encrypt(value, id), value_bytes: Buffer.byteLength(value), status: {} },
    )
    // Whether somebody has any is remembered with their tokens.
    await forgetCallers(tx)
    return row
  },
}

export const changeUserSecret: Command<OnOne<z.output<typeof userSecretUpdateSchema>>, UserSecretRow> = {
  async run(tx, context, { reference, body: { labels, spec } }) {
    const { principalId } = context.caller
    await lockOwner(tx, principalId)
    const row = await ownSecrets.lockForChange(tx, context, reference)
    const { value, expiresAt = row.spec.expiresAt } = spec ?? {}
    if (value !== undefined) await requireRoom(tx, principalId, 0, Buffer.byteLength(value) - row.value_bytes)
    return userSecrets.changeSpec(tx, row.id, {
      labels: labels ?? row.labels,
      spec: { ...row.spec, expiresAt },
      ...(value === undefined
        ? {}
        : {
            value: context.services.encryption.encrypt(value, row.id),
            value_bytes: Buffer.byteLength(value),
          }),
    })
  },
}

/** Machines that were given it keep it. */
export const deleteUserSecret: Command<OnOne, UserSecretRow> = {
  async run(tx, context, { reference }) {
    const row = await ownSecrets.lockForChange(tx, context, reference)
    await userSecrets.remove(tx, row.id)
    return row
  },
}

/** So that two requests at once do not both find room. */
async function lockOwner(tx: DatabaseTransaction, principalId: string): Promise<void> {
  await tx.selectFrom('principals').select('id').where('id', '=', principalId).forUpdate().execute()
}

async function requireRoom(
  tx: DatabaseTransaction,
  principalId: string,
  more: number,
  moreBytes: number,
): Promise<void> {
  const { secrets, totalBytes } = userSecretLimits
  const has = await countSecrets(tx, principalId)
  if (has.secrets + more > secrets)
    throw new HearthError(
      'conflict',
      `you have ${has.secrets} secrets, and may have ${secrets}: delete one first`,
    )
  if (moreBytes > 0 && has.bytes + moreBytes > totalBytes)
    throw new HearthError(
      'conflict',
      `your secrets would have ${has.bytes + moreBytes} bytes together, and may have ${totalBytes}: delete one first`,
    )
}
