import type { tokenCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { found } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { OnOne } from '../../resource/routes.ts'
import { requireResource } from '../quota/index.ts'
import {
  createPrincipal,
  forgetSecretsOf,
  createToken as insertToken,
  lockTokenNames,
  tokens,
} from './queries.ts'
import type { TokenRow } from './table.ts'

export interface TokenWish extends z.output<typeof tokenCreateSchema> {
  /** Whether another one of this name is a conflict; names of tokens are shared otherwise. */
  isOnlyOne?: boolean
}

/** Makes a service account and its token, whose secret is in this outcome alone. */
export const createToken: Command<TokenWish, { row: TokenRow; secret: string }> = {
  async run(tx, { services, caller }, { name, roles, expiresAt, isOnlyOne = false }) {
    const { organizationId, limits } = caller
    requireFuture(expiresAt, services.clock.now())
    if (isOnlyOne) await requireUntaken(tx, organizationId, name)
    await requireResource(tx, organizationId, limits, 'tokens')
    const principal = { organization_id: organizationId, kind: 'service_account' as const, name }
    return insertToken(tx, {
      organizationId,
      principalId: await createPrincipal(tx, principal),
      name,
      roles,
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
    })
  },
}

/** Ends a token at once; the secrets of somebody who has no other go with it. */
export const revokeToken: Command<OnOne, TokenRow> = {
  async run(tx, { caller }, { reference }) {
    const row = found(await tokens.lock(tx, caller, reference), 'token', reference)
    await tokens.remove(tx, row.id)
    await forgetSecretsOf(tx, row.principal_id)
    return row
  },
}

/** Of two of one name at once the second waits for the first. */
async function requireUntaken(tx: DatabaseTransaction, organizationId: string, name: string): Promise<void> {
  await lockTokenNames(tx, organizationId)
  if ((await tokens.list(tx, { organizationId, limit: 1 }, { name })).length > 0)
    throw new HearthError('conflict', `there is a token ${name} already`, { isTaken: true })
}

function requireFuture(expiresAt: string | undefined, now: Date): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > now.getTime()) return
  throw new HearthError('invalid', 'the token would have ended before it is made', {
    details: [
      { field: 'body.expiresAt', given: expiresAt, expected: `a time after now, ${now.toISOString()}` },
    ],
  })
}
