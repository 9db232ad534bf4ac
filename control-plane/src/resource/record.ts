import type { Event, Job, Metadata, ResourceKind } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../database/connection.ts'

interface ChangedResource {
  kind: ResourceKind
  metadata: Metadata
  specVersion: number
  statusVersion: number
}

/** What an event contains. Jobs have no versions: their log only grows. */
export type Change = { verb: Event['verb'] } & ({ resource: ChangedResource } | { job: Job })

/** Writes what changed in the transaction that changes it; observers get it after the commit. */
export async function recordEvents(tx: DatabaseTransaction, changes: readonly Change[]): Promise<void> {
  await insertEvents(tx, changes.map(toNewEvent))
}

export async function recordEvent(
  tx: DatabaseTransaction,
  verb: Event['verb'],
  resource: ChangedResource,
): Promise<void> {
  await recordEvents(tx, [{ verb, resource }])
}

interface NewEvent {
  organization_id: string
  verb: Event['verb']
  kind: ResourceKind
  resource_id: string
  spec_version: number | null
  status_version: number | null
  resource: object
}

function toNewEvent(change: Change): NewEvent {
  const { verb } = change
  if ('job' in change) {
    const { job } = change
    const versions = { spec_version: null, status_version: null }
    return {
      organization_id: job.organizationId,
      verb,
      kind: 'Job',
      resource_id: job.id,
      ...versions,
      resource: job,
    }
  }
  const { kind, metadata, specVersion, statusVersion } = change.resource
  return {
    organization_id: metadata.organizationId,
    verb,
    kind,
    resource_id: metadata.id,
    spec_version: specVersion,
    status_version: statusVersion,
    resource: change.resource,
  }
}

/** One statement for any number, in the order given. */
async function insertEvents(tx: DatabaseTransaction, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  const rows = JSON.stringify(events.map((event) => ({ id: newId(), ...event })))
  await sql`
    INSERT INTO events (id, organization_id, verb, kind, resource_id, spec_version, status_version, resource)
    SELECT id, organization_id, verb, kind, resource_id, spec_version, status_version, resource
    FROM json_to_recordset(${rows}::json) AS event(id uuid, organization_id uuid, verb text, kind text,
      resource_id uuid, spec_version integer, status_version integer, resource jsonb)`.execute(tx)
}
