import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Check, Finding } from '../finding.ts'

const check = 'disk'

export interface DiskFacts {
  path: string
  freeBytes: number
  totalBytes: number
  /** Null where the file system has no fixed number of inodes. */
  freeFiles: number | null
}

export const diskCheck: Check = {
  name: check,
  async examine({ stateFolder }) {
    const path = nearestExisting(stateFolder)
    const { bavail, bsize, blocks, ffree, files } = statfsSync(path)
    return [
      judgeDisk({
        path,
        freeBytes: bavail * bsize,
        totalBytes: blocks * bsize,
        freeFiles: files === 0 ? null : ffree,
      }),
    ]
  },
}

const gibibyte = 1_024 ** 3

export function judgeDisk({ path, freeBytes, freeFiles }: DiskFacts): Finding {
  const free = `${(freeBytes / gibibyte).toFixed(1)} GiB are free at ${path}`
  if (freeFiles !== null && freeFiles < 1_000) {
    return { check, level: 'problem', message: `only ${freeFiles} more files fit at ${path}`, remedy: room }
  }
  if (freeBytes < gibibyte) return { check, level: 'problem', message: `only ${free}`, remedy: room }
  if (freeBytes < 10 * gibibyte) {
    return {
      check,
      level: 'warning',
      message: `${free}: enough for the image and a few small machines`,
      remedy: room,
    }
  }
  return { check, level: 'ok', message: free }
}

const room = 'make room, or keep the state on a larger disk with --state'

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}
