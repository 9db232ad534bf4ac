import type { AppConfiguration, Artifact } from '@hearth/contract'
import type { Generated, Selectable } from 'kysely'

export interface ArtifactTable {
  id: string
  organization_id: string
  /** null while it is uploaded. */
  digest: string | null
  /** A `bigint`, as text. */
  bytes: Generated<string>
  files: Generated<number>
  /** Of all its files together; a `bigint`, as text. */
  unpacked_bytes: Generated<string>
  /** null while it is uploaded, and of a file that Hearth itself has made. */
  configuration: AppConfiguration | null
  created_at: Generated<Date>
  /** When a piece of it came, or it was last asked for. */
  touched_at: Generated<Date>
}
export interface ArtifactChunkTable {
  artifact_id: string
  /** From 0. All but the last are of the same size. */
  number: number
  content: Buffer
}
/** What needs an artifact: a deployment or a pipeline, by its id. */
export interface ArtifactHoldTable {
  holder_id: string
  artifact_id: string
}
export interface ArtifactTables {
  artifacts: ArtifactTable
  artifact_chunks: ArtifactChunkTable
  artifact_holds: ArtifactHoldTable
}
export type ArtifactRow = Selectable<ArtifactTable>

/** null while it is uploaded. */
export function toArtifact(row: ArtifactRow): Artifact | null {
  const { id, digest, files, configuration } = row
  if (digest === null || configuration === null) return null
  return {
    ...{ id, digest, files, configuration },
    bytes: Number(row.bytes),
    unpackedBytes: Number(row.unpacked_bytes),
    createdAt: row.created_at.toISOString(),
  }
}
