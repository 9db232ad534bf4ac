import { z } from 'zod'
import { boundedLine, boundedText, countSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { hostSchema, reportedFailureSchema } from './reported.ts'
import { orderEnvelopeSchema, reportEnvelopeSchema, type WorkMessages } from './work.ts'

/** SHA-256, in lower-case hexadecimal digits. */
export const layerDigestSchema = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
const bytesSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** One file of a layer: the disk, or the memory. */
export const layerFileSchema = z.object({ bytes: bytesSchema, digest: layerDigestSchema })
export type LayerFile = z.infer<typeof layerFileSchema>

/** Permission to read one layer from another runner's agent, over TLS with a key that both sides have. */
export const layerGrantSchema = z.object({
  id: idSchema,
  host: hostSchema,
  port: z.int().min(1).max(65_535),
  sealedKey: boundedText(1_024).meta({
    description: 'The 32-byte key in base64, sealed to the runner; the context is the id of the grant',
  }),
  expiresAt: z.iso.datetime(),
})
export type LayerGrant = z.infer<typeof layerGrantSchema>

/** Permission for one other runner to read the layer, as the runner that has it is told. */
export const layerOfferSchema = z.object({
  id: idSchema,
  readerId: idSchema,
  sealedKey: boundedText(1_024),
  expiresAt: z.iso.datetime(),
})
export type LayerOffer = z.infer<typeof layerOfferSchema>

/** Where a runner gets a layer from. */
export const layerSourceSchema = z.discriminatedUnion('kind', [
  /** Freeze the disk of a machine on the same host and, where wanted and possible, keep its memory. */
  z.object({ kind: z.literal('environment'), environmentId: idSchema, memory: z.boolean() }),
  /** Copy it from another runner. */
  z.object({ kind: z.literal('runner'), runnerId: idSchema, grant: layerGrantSchema }),
])
export type LayerSource = z.infer<typeof layerSourceSchema>

/** Whether one runner should have the layer of one snapshot. The id is the snapshot's. */
export const snapshotOrderSchema = orderEnvelopeSchema.extend({
  kind: z.literal('snapshot'),
  organizationId: idSchema,
  desiredPhase: z.enum(['present', 'deleted']),
  source: layerSourceSchema,
  /** Which other runners may copy the layer from this one. */
  grants: z.array(layerOfferSchema).max(64).optional(),
  /** Make the layer stand on the image alone; another id each time that this is asked for. */
  flatten: idSchema.optional(),
  /** Values that must not stand in the layer: JSON object of name to value, sealed to the runner; the context is the id. */
  sealedForbidden: boundedText(8 * 1024 * 1024)
    .nullable()
    .default(null),
})
export type SnapshotOrder = z.infer<typeof snapshotOrderSchema>

export const snapshotReportPhases = [
  'creating',
  'copying',
  'present',
  'failed',
  'deleting',
  'deleted',
] as const

/** What the agent knows of a layer on its host. */
export const reportedLayerSchema = z.object({
  /** The snapshot on whose layer this one stands on this host; null for one that stands on an image. */
  parentId: idSchema.nullable(),
  /** Of the images and layers below, as many as QEMU has to open. */
  depth: countSchema,
  disk: layerFileSchema,
  /** Bytes that the disk takes with all layers below it, the image left out. */
  totalBytes: bytesSchema,
  virtualBytes: bytesSchema,
  memory: layerFileSchema.nullable(),
  /** Why there is no memory, although it was asked for. */
  memoryFault: boundedLine(1_024).nullable(),
  /** How long the machine stood still, in milliseconds; null for one that was off. */
  pausedMilliseconds: z.number().min(0).max(1e9).nullable(),
})
export type ReportedLayer = z.infer<typeof reportedLayerSchema>

export const snapshotReportSchema = reportEnvelopeSchema.extend({
  kind: z.literal('snapshot'),
  phase: z.enum(snapshotReportPhases),
  layer: reportedLayerSchema.nullable(),
  progress: z.object({ doneBytes: bytesSchema, totalBytes: bytesSchema }).nullable(),
  grantId: idSchema.optional().meta({ description: 'The grant of the copy that this is about' }),
  unflattened: z
    .object({ id: idSchema, failure: reportedFailureSchema })
    .optional()
    .meta({ description: 'The `flatten` of the order that could not be done, and why' }),
  /** Why a layer that should go is still there: the names of what stands on it. */
  keptBy: z.array(boundedLine(255)).max(100).default([]),
})
export type SnapshotReport = z.infer<typeof snapshotReportSchema>

export const snapshotWork: WorkMessages<SnapshotOrder, SnapshotReport> = {
  kind: 'snapshot',
  order: snapshotOrderSchema,
  report: snapshotReportSchema,
}
