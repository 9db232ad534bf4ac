import { totalmem } from 'node:os'
import type { HearthClient } from '@hearth/client'
import { HearthError } from '@hearth/foundation'

/** For hosts with little memory: two environments of it in a pool and one claimed take 1.5 GiB. */
const tiny = { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4 }
const roomForSmall = 8 * 1_024 ** 3

/**
 * The class to use: the one asked for, otherwise the file's own unless three environments of it would not fit on this
 * host.
 */
export function chooseClass(asked: string | undefined, memoryBytes = totalmem()): string | undefined {
  return asked ?? (memoryBytes < roomForSmall ? 'tiny' : undefined)
}

/** Creates the class `tiny` if it was chosen and does not exist. */
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
