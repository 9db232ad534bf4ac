import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostRecord, LayerRecord } from '../check/history.ts'

interface StoredMachine {
  power: string
  ownership: { owner: string; epoch: number; generation: number }
  disk: { layerId: string | null }
  guest: { hostname: string } | null
}

interface StoredLayer {
  phase: string
  ownership: { owner: string }
  facts: { parentId: string | null } | null
}

/** Files of a synthetic guest that stand for `/run/hearth/git`. */
const credentials = 'guest-run-hearth-git-'

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

/** The machines of a synthetic host, read from its disk. */
export async function readMachines(stateFolder: string): Promise<HostRecord['machines']> {
  const folder = join(stateFolder, 'environments')
  return Promise.all(
    (await list(folder)).map(async (environmentId) => {
      const text = await readFile(join(folder, environmentId, 'machine.json'), 'utf8').catch(() => null)
      if (text === null) return { environmentId, machine: null }
      const { power, ownership, disk, guest } = JSON.parse(text) as StoredMachine
      return {
        environmentId,
        machine: {
          ...{ power, owner: ownership.owner, epoch: ownership.epoch, generation: ownership.generation },
          layerId: disk.layerId,
          actsAs: guest?.hostname ?? null,
          holdsCredentials: (await list(join(folder, environmentId))).some((name) =>
            name.startsWith(credentials),
          ),
        },
      }
    }),
  )
}

/** The layers of a synthetic host, read from its disk; their files are searched for the secret where one is given. */
export async function readLayers(stateFolder: string, secret: string | null = null): Promise<LayerRecord[]> {
  const folder = join(stateFolder, 'layers')
  return Promise.all((await list(folder)).map((layerId) => readLayer(join(folder, layerId), layerId, secret)))
}

async function readLayer(folder: string, layerId: string, secret: string | null): Promise<LayerRecord> {
  const text = await readFile(join(folder, 'layer.json'), 'utf8').catch(() => null)
  if (text === null) return { layerId, layer: null }
  const { phase, ownership, facts } = JSON.parse(text) as StoredLayer
  const files = await list(folder)
  return {
    layerId,
    layer: {
      isPresent: phase === 'present',
      owner: ownership.owner,
      parentId: facts?.parentId ?? null,
      hasMemory: files.includes('memory'),
      holdsSecret: secret === null ? null : await holds(folder, files, secret),
    },
  }
}

async function holds(folder: string, files: readonly string[], secret: string): Promise<boolean> {
  const contents = await Promise.all(
    files.map((file) => readFile(join(folder, file)).catch(() => Buffer.alloc(0))),
  )
  return contents.some((content) => content.includes(secret))
}

interface StoredRoute {
  route: { id: string; environmentId: string; port: number }
}

/** The routes of a host, read from its disk. */
export async function readRoutes(stateFolder: string): Promise<HostRecord['routes']> {
  const folder = join(stateFolder, 'ingress/routes')
  const names = (await list(folder)).filter((name) => name.endsWith('.json'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => null)))
  return texts.flatMap((text) => {
    if (text === null) return []
    const { id, environmentId, port } = (JSON.parse(text) as StoredRoute).route
    return [{ id, environmentId, port }]
  })
}
