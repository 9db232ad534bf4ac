import { totalmem } from 'node:os'
import type { HearthClient } from '@hearth/client'
import { HearthError } from '@hearth/foundation'

/** For machines with little memory: two of it in a pool, and one claimed, take 1.5 GiB. */
const tiny = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4 }
const roomForSmall = 8 * 1_024 ** 3

/** The class to use: the one asked for; else the file's own, unless three machines of it would not fit here. */
export function chooseClass(asked: string | undefined, memoryBytes = totalmem()): string | undefined {
  return asked ?? (memoryBytes < roomForSmall ? 'tiny' : undefined)
}

/** Makes the class `tiny` if that is the one chosen and it is not there. */
export async function ensureClass(
  client: HearthClient,
  name: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (name !== 'tiny') return
  try {
    await client.environmentClasses.create({ name, spec: tiny }, { signal })
  } catch (error) {
    if (!(error instanceof HearthError) || error.code !== 'conflict') throw error
  }
}
