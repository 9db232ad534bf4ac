import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostRecord } from '../check/history.ts'

interface StoredMachine {
  power: string
  ownership: { owner: string; epoch: number; generation: number }
  disk: { layerId: string | null }
}

interface StoredLayer {
  phase: string
  ownership: { owner: string }
  facts: { parentId: string | null } | null
}

/** The machines of a synthetic host, read from its disk. */
export async function readMachines(stateFolder: string): Promise<HostRecord['machines']> {
  const folder = join(stateFolder, 'environments')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names.map(async (environmentId) => {
      const text = await readFile(join(folder, environmentId, 'machine.json'), 'utf8').catch(() => null)
      if (text === null) return { environmentId, machine: null }
      const { power, ownership, disk } = JSON.parse(text) as StoredMachine
      return {
        environmentId,
        machine: {
          ...{ power, owner: ownership.owner, epoch: ownership.epoch, generation: ownership.generation },
          layerId: disk.layerId,
        },
      }
    }),
  )
}

/** The layers of a synthetic host, read from its disk. */
export async function readLayers(stateFolder: string): Promise<HostRecord['layers']> {
  const folder = join(stateFolder, 'layers')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names.map(async (layerId) => {
      const text = await readFile(join(folder, layerId, 'layer.json'), 'utf8').catch(() => null)
      if (text === null) return { layerId, layer: null }
      const { phase, ownership, facts } = JSON.parse(text) as StoredLayer
      const layer = {
        isPresent: phase === 'present',
        owner: ownership.owner,
        parentId: facts?.parentId ?? null,
      }
      return { layerId, layer }
    }),
  )
}
