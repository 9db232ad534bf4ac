import { HostError } from './host-error.ts'

const bytesPerMebibyte = 1024 ** 2

/** Throws HostError `disk_full` when writing so many bytes would leave less free space than the reserve. */
export function assertRoom(what: string, bytes: number, freeBytes: number, reserveBytes: number): void {
  if (freeBytes - bytes >= reserveBytes) return
  const mebibytes = (count: number) => Math.floor(count / bytesPerMebibyte)
  throw new HostError(
    'disk_full',
    `${what} needs ${Math.ceil(bytes / bytesPerMebibyte)} MiB; of the host's disk ${mebibytes(freeBytes)} MiB are free, ` +
      `and ${mebibytes(reserveBytes)} MiB are kept in reserve for the machines`,
  )
}
