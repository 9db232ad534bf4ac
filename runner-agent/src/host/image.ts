import { z } from 'zod'

/** A base image: a folder with `image.json` and the files it names. */
export const imageSchema = z.object({
  name: z.string(),
  /** How a guest gets its identity: from a tar archive on its second disk, or from cloud-init's NoCloud disk. */
  format: z.enum(['seed', 'cloud-init']),
  disk: z.string(),
  kernel: z.string().optional(),
  initrd: z.string().optional(),
  commandLine: z.string().optional(),
  sshUser: z.string().default('root'),
  fingerprint: z.string(),
})
export type Image = z.infer<typeof imageSchema>
