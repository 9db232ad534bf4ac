import { parseVolumeSize, volumeSizeWords } from '@hearth/contract'
import { InvalidArgumentError } from 'commander'

/** A size in the largest unit that it is a whole number of. */
export function sizeText(mebibytes: number): string {
  if (mebibytes > 0 && mebibytes % 1_048_576 === 0) return `${mebibytes / 1_048_576} TiB`
  if (mebibytes > 0 && mebibytes % 1_024 === 0) return `${mebibytes / 1_024} GiB`
  return `${mebibytes} MiB`
}

/** The size in MiB that an option gives. */
export function volumeSize(text: string): number {
  const size = parseVolumeSize(text)
  if (size !== null) return size
  throw new InvalidArgumentError(`${volumeSizeWords}, is needed.`)
}
