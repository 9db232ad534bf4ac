import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostRecord } from '../check/history.ts'

interface StoredVolume {
  environmentId: string | null
  contentNumber: number
}

/** The volumes of a synthetic host, read from its disk. */
export async function readVolumes(stateFolder: string): Promise<HostRecord['volumes']> {
  const folder = join(stateFolder, 'volumes')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names.map(async (id) => {
      const text = await readFile(join(folder, id, 'volume.json'), 'utf8').catch(() => null)
      if (text === null) return { id, environmentId: null, contentNumber: -1, madeAt: null }
      const { environmentId, contentNumber } = JSON.parse(text) as StoredVolume
      const disk = await stat(join(folder, id, `disk-${contentNumber}`)).catch(() => null)
      return { id, environmentId, contentNumber, madeAt: disk?.birthtimeMs ?? null }
    }),
  )
}
