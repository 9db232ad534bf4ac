/** Bytes in whole MiB, rounded up; `-` where they are not known. */
export function formatSize(bytes: number | null): string {
  return bytes === null ? '-' : `${Math.ceil(bytes / 1_048_576)} MiB`
}
