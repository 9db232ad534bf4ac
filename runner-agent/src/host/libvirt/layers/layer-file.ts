import { reportedLayerSchema } from '@hearth/contract'
import { z } from 'zod'
import { addressLoginSchema, identitySchema } from '../metadata.ts'

const machineSchema = z.object({
  image: z.string(),
  imageFingerprint: z.string(),
  virtualCpus: z.number(),
  memoryMebibytes: z.number(),
  virtualBytes: z.number(),
  emulation: z.string().nullable(),
})

/**
 * `layer.json` in a layer's folder. While the layer is not present, `facts` are without digests: what is known before the
 * files are there.
 */
export const layerFileSchema = z.object({
  ownership: z.object({
    owner: z.string(),
    layerId: z.string(),
    epoch: z.number(),
    generation: z.number(),
    createdAt: z.string(),
  }),
  /** `checked`: a copy that is complete, and has still to be put over what is below it on this host. */
  phase: z.enum(['freezing', 'copying', 'checked', 'present']),
  /** The machine that is frozen; null for a copy. */
  environmentId: z.string().nullable(),
  facts: reportedLayerSchema,
  origin: addressLoginSchema.extend({ identity: identitySchema }),
  machine: machineSchema,
  /** True in place of `facts` as soon as the flattened disk, of that digest, has taken the place of the disk. */
  flattened: reportedLayerSchema.nullable(),
})
export type LayerFileContent = z.infer<typeof layerFileSchema>
