import { randomBytes } from 'node:crypto'
import { z } from 'zod'

/** Files of a synthetic guest by name: its own, its steps, its runs, and the newest numbers it was worked on under. */
export type GuestFiles = Readonly<Record<string, string>>

const guestFilesSchema = z.record(z.string(), z.string())
/** Hexadecimal digits at the end of a disk: how many bytes before them are the files. */
const lengthDigits = 8

export const isGuestFile = (name: string) => /^(guest-|step-|process-|fence\.json$)/.test(name)

/** The name of the file that stands for a path in the guest. */
export const guestFileName = (path: string) => `guest${path.replaceAll('/', '-')}`

/** Whether a file of the guest is in its memory, and gone when it is off. */
export const isInMemory = (name: string) => name.startsWith('guest-run-')

/** Whether it says of a run that it goes on. */
export const isProcessInMemory = (name: string) => name.startsWith(guestFileName('/run/hearth/processes/'))

/** The content of a layer's disk, or of its memory: at least so many bytes, with the files at its end, where a flattened disk has them too. */
export function packGuestFiles(files: GuestFiles, bytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(files))
  const length = Buffer.from(text.length.toString(16).padStart(lengthDigits, '0'))
  const padding = randomBytes(Math.max(0, bytes - text.length - length.length))
  return Buffer.concat([padding, text, length])
}

/** The files in the content of a layer's disk or memory; none where it was not made by `packGuestFiles`. */
export function unpackGuestFiles(content: Buffer): GuestFiles {
  const end = content.length - lengthDigits
  const length = Number.parseInt(content.toString('latin1', Math.max(0, end)), 16)
  if (!(length > 0 && length <= end)) return {}
  try {
    return guestFilesSchema.parse(JSON.parse(content.toString('utf8', end - length, end)))
  } catch {
    return {}
  }
}
