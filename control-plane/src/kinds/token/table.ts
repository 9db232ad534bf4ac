import type { Role, Token } from '@hearth/contract'
import type { ColumnType, Selectable } from 'kysely'

export interface PrincipalTable {
  id: string
  organization_id: string
  kind: 'user' | 'service_account' | 'runner'
  name: string
  created_at: ColumnType<Date, Date | undefined, never>
}

export interface TokenTable {
  id: string
  organization_id: string
  principal_id: string
  runner_id: string | null
  name: string
  roles: Role[]
  /** SHA-256 of the secret, which has 256 random bits. */
  secret_hash: Buffer
  created_at: ColumnType<Date, Date | undefined, never>
  expires_at: Date | null
  last_used_at: Date | null
  /** The interface and what the client says that it is. */
  last_client: string | null
}
export interface TokenTables {
  principals: PrincipalTable
  tokens: TokenTable
}
export type TokenRow = Selectable<TokenTable>

export function toToken(row: TokenRow): Token {
  return {
    kind: 'Token',
    id: row.id,
    organizationId: row.organization_id,
    principalId: row.principal_id,
    name: row.name,
    roles: row.roles,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    lastClient: row.last_client,
  }
}
