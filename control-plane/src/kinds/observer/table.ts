import type { Observer } from '@hearth/contract'
import type { ColumnType, Selectable } from 'kysely'

export interface ObserverTable {
  id: string
  organization_id: string
  creator: string
  name: string
  unacknowledged: number
  created_at: ColumnType<Date, Date | undefined, never>
  expires_at: Date
}
export interface ObserverTables {
  observers: ObserverTable
}
export type ObserverRow = Selectable<ObserverTable>

export function toObserver(row: ObserverRow): Observer {
  return {
    kind: 'Observer',
    id: row.id,
    organizationId: row.organization_id,
    creator: row.creator,
    name: row.name,
    unacknowledged: row.unacknowledged,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  }
}
