import { createHash } from 'node:crypto'
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
 * Stores files that Hearth itself has made, for as long as their holder needs them, and lets go what that held before. The same bytes are
 * stored once for an organization. They are no uploaded apps, and are shown to nobody.
 */
export async function storeFiles<Name extends string>(
  tx: DatabaseTransaction,
  holder: { id: string; organizationId: string },
  contents: Readonly<Record<Name, Buffer>>,
): Promise<Record<Name, StoredFile>> {
  const { organizationId } = holder
  await lockArtifacts(tx, organizationId)
  const stored: [string, StoredFile][] = []
  for (const [name, content] of Object.entries<Buffer>(contents)) {
    const digest = createHash('sha256').update(content).digest('hex')
    const known = await touchByDigest(tx, organizationId, digest)
    const artifactId = known?.id ?? (await insertFile(tx, organizationId, { content, digest }))
    stored.push([name, { artifactId, digest, bytes: content.length }])
  }
  await releaseArtifacts(tx, holder.id)
  for (const [, { artifactId }] of stored) await holdArtifact(tx, holder.id, artifactId)
  return Object.fromEntries(stored) as Record<Name, StoredFile>
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
