import { artifactLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { holdArtifact, lockArtifacts, releaseArtifacts, touchByDigest } from './queries.ts'

/** A file for processes to find in their machines, as their orders name it. */
export interface StoredFile {
  artifactId: string
  digest: string
  bytes: number
}

/**
 * Stores a file that Hearth itself has made, for as long as its holder needs it, and lets go what that held before. The same bytes are
 * stored once for an organization. It is no uploaded app, and is shown to nobody.
 */
export async function storeFile(
  tx: DatabaseTransaction,
  holder: { id: string; organizationId: string },
  { content, digest }: { content: Buffer; digest: string },
): Promise<StoredFile> {
  const { organizationId } = holder
  await lockArtifacts(tx, organizationId)
  const known = await touchByDigest(tx, organizationId, digest)
  const artifactId = known?.id ?? (await insertFile(tx, organizationId, { content, digest }))
  await releaseArtifacts(tx, holder.id)
  await holdArtifact(tx, holder.id, artifactId)
  return { artifactId, digest, bytes: content.length }
}

async function insertFile(
  tx: DatabaseTransaction,
  organization_id: string,
  { content, digest }: { content: Buffer; digest: string },
): Promise<string> {
  const id = newId()
  const bytes = String(content.length)
  await tx
    .insertInto('artifacts')
    .values({ id, organization_id, digest, bytes, files: 1, unpacked_bytes: bytes, configuration: null })
    .execute()
  const { chunkBytes } = artifactLimits
  for (let number = 0; number * chunkBytes < content.length; number += 1)
    await tx
      .insertInto('artifact_chunks')
      .values({
        artifact_id: id,
        number,
        content: content.subarray(number * chunkBytes, (number + 1) * chunkBytes),
      })
      .execute()
  return id
}
