import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { runsFolder } from '../cache.ts'
import { removeRun, runName } from '../leftovers.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the guest that the files of one run start from; the first that needs it prepares it. */
    preparedFolder: string
  }
}

let folder: string

export async function setup({ provide }: TestProject): Promise<void> {
  folder = await mkdtemp(join(await runsFolder(), runName(process.pid, 'prepared-')))
  provide('preparedFolder', folder)
}

export function teardown(): Promise<void> {
  return removeRun(folder)
}
