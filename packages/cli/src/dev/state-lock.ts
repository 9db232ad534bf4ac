import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { z } from 'zod'
import { identityOf, isAlive, type ProcessIdentity } from '../process/identity.ts'

const holderSchema = z.object({ pid: z.int().positive(), startTime: z.string() })

/**
 * Locks a state folder for this process; returns a function that releases the lock. Throws with the holder's pid when
 * it is locked.
 */
export function lockState(stateFolder: string): () => void {
  const path = join(stateFolder, 'dev.pid')
  const own = identityOf(process.pid)
  if (own === null) throw new HearthError('internal', 'this process does not find itself in /proc')
  const beside = `${path}.${process.pid}`
  writeFileSync(beside, JSON.stringify(own), { mode: 0o644 })
  try {
    for (;;) {
      // Unlike a write, a link is atomic and fails when another process was first.
      if (linked(beside, path)) break
      const holder = readHolder(path)
      if (holder !== null && isAlive(holder)) {
        throw new HearthError(
          'conflict',
          `${stateFolder} is run by another hearth (process id ${holder.pid}); use it, end it, or choose another folder with --state`,
          { facts: { pid: holder.pid } },
        )
      }
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(beside, { force: true })
  }
  return () => rmSync(path, { force: true })
}

/** The process that has locked a state folder, or null. */
export function holderOf(stateFolder: string): ProcessIdentity | null {
  const holder = readHolder(join(stateFolder, 'dev.pid'))
  return holder !== null && isAlive(holder) ? holder : null
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readHolder(path: string): ProcessIdentity | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}
