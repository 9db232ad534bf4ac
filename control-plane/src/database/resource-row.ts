import type { Metadata } from '@hearth/contract'
import type { ColumnType, Generated, JSONColumnType } from 'kysely'

/** The columns every kind has. `Status` is what the kind keeps beside phase and the columns of its own. */
export interface ResourceTable<Spec extends object, Status extends object> {
  id: string
  organization_id: string
  name: string
  creator: string | null
  labels: JSONColumnType<Record<string, string>>
  created_at: ColumnType<Date, Date | undefined, never>
  updated_at: ColumnType<Date, Date | undefined, Date>
  spec: JSONColumnType<Spec>
  spec_version: Generated<number>
  status: JSONColumnType<Status>
  status_version: Generated<number>
}

interface MetadataColumns {
  id: string
  organization_id: string
  name: string
  creator: string | null
  labels: Record<string, string>
  created_at: Date
  updated_at: Date
}

export function metadataOf(row: MetadataColumns): Metadata {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    creator: row.creator,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    labels: row.labels,
  }
}
