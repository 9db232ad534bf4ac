import { randomBytes } from 'node:crypto'
import { appZip } from '../system/app-zip.ts'

const fileBytes = 1024 * 1024
export const archiveMebibytes = 50

/** An app of as many MiB, in files of one MiB that no archive makes smaller. */
export function largeArchive(
  configuration: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Buffer<ArrayBuffer>> {
  const data = Array.from({ length: archiveMebibytes }, (_, index) => [
    `data/${index}`,
    randomBytes(fileBytes),
  ])
  return appZip(configuration, { ...more, ...Object.fromEntries(data) })
}
