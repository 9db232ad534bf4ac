import { z } from 'zod'
import { appConfigurationSchema } from './app-configuration.ts'
import { idSchema, timeSchema } from './resource.ts'

const mebibyte = 1024 * 1024

/** Bounds of an uploaded ZIP, of what is in it, and of the uploads themselves. */
export const artifactLimits = {
  bytes: 512 * mebibyte,
  /** Of all entries together, unpacked. */
  unpackedBytes: 2 * 1024 * mebibyte,
  /** Above `ratioFromBytes`, the most times its own size that a ZIP may unpack to. */
  ratio: 100,
  ratioFromBytes: 100 * mebibyte,
  entries: 50_000,
  /** Of all names together. */
  nameBytes: 8 * mebibyte,
  pathBytes: 1_024,
  segmentBytes: 255,
  depth: 64,
  configurationBytes: 32 * 1024,
  chunkBytes: mebibyte,
  /** Of one organization, of all artifacts. */
  organizationBytes: 20 * 1024 * mebibyte,
  /** Uploads at once: of one organization, and to one control plane. */
  uploadsOfOrganization: 8,
  uploads: 16,
  uploadSeconds: 30 * 60,
  stalledSeconds: 60,
  /** How long one is kept that nothing needs. */
  unusedSeconds: 3_600,
} as const

export const artifactDigestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hexadecimal digits')
  .meta({ description: 'SHA-256 of its bytes' })

/** An uploaded app: a ZIP with a `bentocloud.toml` in its top folder. */
export const artifactSchema = z
  .object({
    id: idSchema,
    digest: artifactDigestSchema,
    bytes: z.int().positive(),
    files: z.int().nonnegative(),
    unpackedBytes: z.int().nonnegative().meta({ description: 'Of all its files together' }),
    configuration: appConfigurationSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'Artifact' })
export type Artifact = z.infer<typeof artifactSchema>
