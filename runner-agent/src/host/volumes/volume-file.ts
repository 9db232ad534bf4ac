import { z } from 'zod'

/** `volume.json` in the folder of a volume. */
export const volumeFileSchema = z.object({
  ownership: z.object({
    owner: z.string(),
    volumeId: z.string(),
    epoch: z.number(),
    generation: z.number(),
    createdAt: z.string(),
  }),
  phase: z.enum(['making', 'present']),
  bytes: z.number(),
  contentNumber: z.number(),
  /** The machine that it is kept for. */
  environmentId: z.string().nullable(),
})
export type VolumeFile = z.infer<typeof volumeFileSchema>
