import type { Event, Job, Metadata, ResourceKind } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../database/connection.ts'
import { type NewEvent, writeLate } from '../database/late-writes.ts'

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
  await writeLate(tx, { events: changes.map(toNewEvent) })
}

export async function recordEvent(
  tx: DatabaseTransaction,
  verb: Event['verb'],
  resource: ChangedResource,
): Promise<void> {
  await recordEvents(tx, [{ verb, resource }])
}

function toNewEvent(change: Change): NewEvent {
  const { verb } = change
  if ('job' in change) {
    const { job } = change
    const versions = { spec_version: null, status_version: null }
    return {
      id: newId(),
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
    id: newId(),
    organization_id: metadata.organizationId,
    verb,
    kind,
    resource_id: metadata.id,
    spec_version: specVersion,
    status_version: statusVersion,
    resource: change.resource,
  }
}
