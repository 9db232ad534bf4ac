import { type AppConfiguration, artifactLimits } from '@hearth/contract'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction, Queryable } from '../../database/connection.ts'
import { advisoryLocks } from '../../database/locks.ts'
import type { ArtifactRow } from './table.ts'

export async function beginArtifact(database: Database, id: string, organizationId: string): Promise<void> {
  await database
    .insertInto('artifacts')
    .values({ id, organization_id: organizationId, digest: null, configuration: null })
    .execute()
}

/** Whether it was stored: not where the upload was given up meanwhile. */
export async function storeChunk(
  database: Database,
  id: string,
  number: number,
  content: Buffer,
): Promise<boolean> {
  const { rows } = await sql`
    WITH kept AS (
      UPDATE artifacts SET bytes = bytes + ${content.length}, touched_at = now()
      WHERE id = ${id} AND digest IS NULL RETURNING id)
    INSERT INTO artifact_chunks (artifact_id, number, content)
    SELECT id, ${number}::integer, ${content}::bytea FROM kept RETURNING number`.execute(database)
  return rows.length === 1
}

/** At most so many bytes of a chunk, from a place in it on; undefined where there is none: the artifact was removed. */
export async function readPiece(
  queryable: Queryable,
  id: string,
  { number, from, bytes }: { number: number; from: number; bytes: number },
): Promise<Buffer | undefined> {
  const row = await queryable
    .selectFrom('artifact_chunks')
    .select(sql<Buffer>`substring(content FROM ${from + 1}::integer FOR ${bytes}::integer)`.as('content'))
    .where('artifact_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst()
  return row?.content
}

export async function removeArtifact(queryable: Queryable, id: string): Promise<void> {
  await queryable.deleteFrom('artifacts').where('id', '=', id).execute()
}

/** An uploaded app of the organization, as a whole. */
export async function findArtifact(
  queryable: Queryable,
  organizationId: string,
  id: string,
): Promise<ArtifactRow | undefined> {
  return queryable
    .selectFrom('artifacts')
    .selectAll()
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('configuration', 'is not', null)
    .executeTakeFirst()
}

/** Uploaded apps of the organization, the oldest first; one more than the limit. */
export async function listArtifacts(
  queryable: Queryable,
  { organizationId, after, limit }: { organizationId: string; after?: string | undefined; limit: number },
): Promise<ArtifactRow[]> {
  let query = queryable
    .selectFrom('artifacts')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('configuration', 'is not', null)
    .orderBy('id')
    .limit(limit + 1)
  if (after !== undefined) query = query.where('id', '>', after)
  return query.execute()
}

/** So that of two uploads at once the one sees what the other has stored. */
export async function lockArtifacts(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${advisoryLocks.artifacts}, hashtext(${organizationId}))`.execute(tx)
}

export async function countBytes(queryable: Queryable, organizationId: string): Promise<number> {
  const { bytes } = await queryable
    .selectFrom('artifacts')
    .select(sql<string>`coalesce(sum(bytes), 0)`.as('bytes'))
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow()
  return Number(bytes)
}

/** The one with this digest, which is then kept for another hour. */
export async function touchByDigest(
  tx: DatabaseTransaction,
  organizationId: string,
  digest: string,
): Promise<ArtifactRow | undefined> {
  return tx
    .updateTable('artifacts')
    .set({ touched_at: sql`now()` })
    .where('organization_id', '=', organizationId)
    .where('digest', '=', digest)
    .returningAll()
    .executeTakeFirst()
}

/** undefined where the upload was given up meanwhile. */
export async function completeArtifact(
  tx: DatabaseTransaction,
  id: string,
  {
    digest,
    files,
    unpackedBytes,
    configuration,
  }: { digest: string; files: number; unpackedBytes: number; configuration: AppConfiguration },
): Promise<ArtifactRow | undefined> {
  return tx
    .updateTable('artifacts')
    .set({ digest, files, unpacked_bytes: String(unpackedBytes), configuration, touched_at: sql`now()` })
    .where('id', '=', id)
    .where('digest', 'is', null)
    .returningAll()
    .executeTakeFirst()
}

/** Whether it is there, and is kept from now on for as long as what holds it; done again it changes nothing. */
export async function holdArtifact(
  tx: DatabaseTransaction,
  holderId: string,
  artifactId: string,
): Promise<boolean> {
  const touched = await tx
    .updateTable('artifacts')
    .set({ touched_at: sql`now()` })
    .where('id', '=', artifactId)
    .where('digest', 'is not', null)
    .returning('id')
    .executeTakeFirst()
  if (touched === undefined) return false
  await tx
    .insertInto('artifact_holds')
    .values({ holder_id: holderId, artifact_id: artifactId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return true
}

/** Ends what `holdArtifact` began. */
export async function releaseArtifacts(tx: DatabaseTransaction, holderId: string): Promise<void> {
  await tx.deleteFrom('artifact_holds').where('holder_id', '=', holderId).execute()
}

const perStatement = 4

/** Removes uploads that have stood still, as those of a control plane that was killed, and what nothing needs. */
export async function collectArtifacts(database: Database): Promise<number> {
  const { unusedSeconds, stalledSeconds } = artifactLimits
  let removed = 0
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      DELETE FROM artifacts WHERE id IN (
        SELECT id FROM artifacts WHERE touched_at < now() - interval '1 second' * (
            CASE WHEN digest IS NULL THEN ${2 * stalledSeconds}::integer ELSE ${unusedSeconds}::integer END)
          AND NOT EXISTS (SELECT FROM artifact_holds WHERE artifact_id = artifacts.id)
        LIMIT ${perStatement} FOR UPDATE SKIP LOCKED)`.execute(database)
    removed += Number(numAffectedRows)
    if (numAffectedRows < perStatement) return removed
  }
}
