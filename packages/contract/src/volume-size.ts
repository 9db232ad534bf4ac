import { z } from 'zod'
import { volumeLimits } from './volume.ts'

const mebibytes = { MiB: 1, GiB: 1_024, TiB: 1_048_576 } as const

/** The size in MiB that a text like `10GiB` says; null for a text that says none, or one that no volume can have. */
export function parseVolumeSize(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d{1,9})(MiB|GiB|TiB)$/.exec(text.trim()) ?? []
  if (number === '') return null
  const size = Number(number) * mebibytes[unit as keyof typeof mebibytes]
  return size >= volumeLimits.leastMebibytes && size <= volumeLimits.mostMebibytes ? size : null
}

export const volumeSizeWords = `a size from ${volumeLimits.leastMebibytes}MiB to 16TiB, like 10GiB`

export const volumeSizeSchema = z
  .string()
  .max(16)
  .refine((text) => parseVolumeSize(text) !== null, volumeSizeWords)
