import type { Event, ResourceKind } from '@hearth/contract'
import type { ColumnType, Generated } from 'kysely'

export interface EventTable {
  sequence: Generated<string>
  id: string
  position: string | null
  organization_id: string
  verb: Event['verb']
  kind: ResourceKind
  resource_id: string
  spec_version: number | null
  status_version: number | null
  time: ColumnType<Date, Date | undefined, never>
  resource: ColumnType<Record<string, unknown>, string, never>
}

/** One row: how far events have been published. */
export interface EventPublicationTable {
  singleton: Generated<boolean>
  position: string
  /** Which stream of NATS that was; null before any. */
  stream: string | null
}

/** All events up to a position are stored in the stream of NATS, under numbers up to `sequence`. */
export interface EventCheckpointTable {
  sequence: string
  /** Of the event that the stream has under that number. */
  event_id: string
  position: string
  created_at: Date
}
export interface EventTables {
  events: EventTable
  event_publication: EventPublicationTable
  event_checkpoints: EventCheckpointTable
}

export interface EventRow {
  id: string
  position: string | null
  organization_id: string
  verb: Event['verb']
  kind: ResourceKind
  resource_id: string
  spec_version: number | null
  status_version: number | null
  time: Date
  resource: Record<string, unknown>
}

export function toEvent(row: EventRow): Event {
  return {
    id: row.id,
    position: Number(row.position),
    organizationId: row.organization_id,
    verb: row.verb,
    kind: row.kind,
    resourceId: row.resource_id,
    specVersion: row.spec_version,
    statusVersion: row.status_version,
    time: row.time.toISOString(),
    resource: row.resource,
  }
}
