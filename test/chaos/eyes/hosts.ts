import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostRecord } from '../check/history.ts'

interface StoredMachine {
  power: string
  ownership: { owner: string; epoch: number; generation: number }
}

/** The machines of a synthetic host, read from its disk. */
export async function readMachines(stateFolder: string): Promise<HostRecord['machines']> {
  const folder = join(stateFolder, 'environments')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names.map(async (environmentId) => {
      const text = await readFile(join(folder, environmentId, 'machine.json'), 'utf8').catch(() => null)
      if (text === null) return { environmentId, machine: null }
      const { power, ownership } = JSON.parse(text) as StoredMachine
      return {
        environmentId,
        machine: { power, owner: ownership.owner, epoch: ownership.epoch, generation: ownership.generation },
      }
    }),
  )
}
