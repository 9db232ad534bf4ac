import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const imageSchema = z.object({ name: z.string(), format: z.string(), fingerprint: z.string() })
export type LocalImage = z.infer<typeof imageSchema> & { folder: string }

/** The images in a folder of images; a folder without a readable image.json is not an image. */
export function listImages(images: string): LocalImage[] {
  if (!existsSync(images)) return []
  return readdirSync(images)
    .sort()
    .flatMap((name) => {
      const folder = join(images, name)
      const path = join(folder, 'image.json')
      if (name.startsWith('.') || !existsSync(path)) return []
      const image = imageSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
      return image.success ? { ...image.data, folder } : []
    })
}
