import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfPresent } from '../process/file.ts'
import { isAlive, runsWith } from '../process/process-table.ts'
import { dataFolder } from './settings.ts'

export interface LiveServer {
  pid: number
  port: number
}

/**
 * The server that already runs on this folder, as `postmaster.pid` tells. A file whose pid went to some other
 * process is removed, since PostgreSQL would take that process for itself; one of a dead process it handles better
 * itself, as the file also says which shared memory to look for.
 */
export async function findLiveServer(folder: string): Promise<LiveServer | undefined> {
  const file = join(dataFolder(folder), 'postmaster.pid')
  const lines = (await readIfPresent(file))?.split('\n')
  const pid = Number(lines?.[0])
  if (lines === undefined || !(pid > 0)) return undefined
  if (await runsWith(pid, dataFolder(folder))) return { pid, port: Number(lines[3]) }
  if (isAlive(pid)) await rm(file, { force: true })
  return undefined
}
