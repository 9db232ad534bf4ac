import type { Event, Job, Metadata, ResourceKind } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'

interface ChangedResource {
  kind: ResourceKind
  metadata: Metadata
  specVersion: number
  statusVersion: number
}

/** Writes what changed in the transaction that changes it; observers get it after the commit. */
export async function recordEvents(
  tx: DatabaseTransaction,
  changes: readonly { verb: Event['verb']; resource: ChangedResource }[],
): Promise<void> {
  if (changes.length === 0) return
  await tx
    .insertInto('events')
    .values(
      changes.map(({ verb, resource }) => ({
        id: newId(),
        organization_id: resource.metadata.organizationId,
        verb,
        kind: resource.kind,
        resource_id: resource.metadata.id,
        spec_version: resource.specVersion,
        status_version: resource.statusVersion,
        resource: JSON.stringify(resource),
      })),
    )
    .execute()
}

export async function recordEvent(
  tx: DatabaseTransaction,
  verb: Event['verb'],
  resource: ChangedResource,
): Promise<void> {
  await recordEvents(tx, [{ verb, resource }])
}

/** Jobs have no versions: their log only grows. */
export async function recordJobEvent(tx: DatabaseTransaction, verb: Event['verb'], job: Job): Promise<void> {
  await tx
    .insertInto('events')
    .values({
      id: newId(),
      organization_id: job.organizationId,
      verb,
      kind: 'Job',
      resource_id: job.id,
      spec_version: null,
      status_version: null,
      resource: JSON.stringify(job),
    })
    .execute()
}
