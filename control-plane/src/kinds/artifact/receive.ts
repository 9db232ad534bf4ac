import { createHash } from 'node:crypto'
import { type Artifact, artifactLimits } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { ApplicationEnvironment } from '../../api/application.ts'
import { boundArrivalElsewhere } from '../../api/arrival.ts'
import type { Caller } from '../../api/caller.ts'
import type { Services } from '../../api/services.ts'
import { transact } from '../../database/transact.ts'
import { type CheckedArchive, checkArchive } from './archive/check-archive.ts'
import { inTime } from './in-time.ts'
import {
  beginArtifact,
  completeArtifact,
  countBytes,
  lockArtifacts,
  removeArtifact,
  storeChunk,
  touchByDigest,
} from './queries.ts'
import { StoredBytes } from './stored-bytes.ts'
import { type ArtifactRow, toArtifact } from './table.ts'
import { tooLarge, type UploadBody, uploadBodyOf } from './upload-body.ts'

export interface Received {
  artifact: Artifact
  /** What a form says beside the file. */
  fields: ReadonlyMap<string, string>
}

/**
 * Takes in an app that a request brings, piece by piece, checks it and stores it; one that the organization has stored
 * already is found again. What ends midway or is refused leaves nothing.
 */
export async function receiveArtifact(
  services: Services,
  { organizationId }: Pick<Caller, 'organizationId'>,
  context: Context<ApplicationEnvironment>,
): Promise<Received> {
  const { database } = services
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
  const body = uploadBodyOf(context.req.raw, incoming)
  const id = newId()
  try {
    using _slot = services.uploads.open({ organizationId })
    boundArrivalElsewhere(incoming)
    await requireRoom(services, organizationId)
    await beginArtifact(database, id, organizationId)
    const stored = await storePieces(services, { id, organizationId }, body)
    const fields = await body.fields()
    const checked = await checkArchive(new StoredBytes(database, id, stored.bytes))
    const row = await complete(services, { id, organizationId }, { ...checked, digest: stored.digest })
    const artifact = toArtifact(row)
    if (artifact === null) throw new Error('a stored artifact has no digest')
    return { artifact, fields }
  } catch (error) {
    body.cancel()
    // Where the database is away, housekeeping removes it.
    await removeArtifact(database, id).catch(() => undefined)
    throw error
  }
}

interface Upload {
  id: string
  organizationId: string
}

/** Of one chunk no more is in memory than the chunk itself, and it is stored before more is read. */
async function storePieces(
  { database, turns }: Services,
  { id, organizationId }: Upload,
  body: UploadBody,
): Promise<{ bytes: number; digest: string }> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(artifactLimits.chunkBytes)
  let filled = 0
  let number = 0
  const store = async () => {
    const isKept = await turns.take(organizationId, () =>
      storeChunk(database, id, number, chunk.subarray(0, filled)),
    )
    if (!isKept)
      throw new HearthError('conflict', 'the upload took too long, and was given up: send it again')
    number += 1
    filled = 0
  }
  const { uploadSeconds, stalledSeconds } = artifactLimits
  let bytes = 0
  for await (const piece of inTime(body.bytes, { uploadSeconds, stalledSeconds })) {
    bytes += piece.length
    if (bytes > artifactLimits.bytes) throw tooLarge()
    hash.update(piece)
    for (let at = 0; at < piece.length; ) {
      const copied = piece.copy(chunk, filled, at)
      at += copied
      filled += copied
      if (filled === chunk.length) await store()
    }
  }
  if (filled > 0) await store()
  return { bytes, digest: hash.digest('hex') }
}

async function requireRoom({ database }: Services, organizationId: string): Promise<void> {
  const limit = artifactLimits.organizationBytes
  const use = await countBytes(database, organizationId)
  if (use < limit) return
  throw new HearthError(
    'quota_exceeded',
    `your organization has ${use} bytes of uploaded apps, and may have ${limit}: those that no deployment needs are removed after an hour`,
    { facts: { quota: 'artifactBytes', limit, use } },
  )
}

async function complete(
  services: Services,
  { id, organizationId }: Upload,
  checked: CheckedArchive & { digest: string },
): Promise<ArtifactRow> {
  return transact(services.database, async (tx) => {
    await lockArtifacts(tx, organizationId)
    const same = await touchByDigest(tx, organizationId, checked.digest)
    if (same !== undefined) {
      await removeArtifact(tx, id)
      return same
    }
    const row = await completeArtifact(tx, id, checked)
    if (row !== undefined) return row
    throw new HearthError('conflict', 'the upload took too long, and was given up: send it again')
  })
}
