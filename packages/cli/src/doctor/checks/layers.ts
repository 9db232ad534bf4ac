import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type LayerFile, reportedLayerSchema } from '@hearth/contract'
import { isId, toError } from '@hearth/foundation'
import { z } from 'zod'
import { runnersBelow } from '../agents.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'layers'

/** What agents write about a layer; `flattened` and `next` are of a disk that is about to take the place of its disk. */
const layerSchema = z.object({
  phase: z.string(),
  facts: reportedLayerSchema.nullable(),
  flattened: reportedLayerSchema.nullish(),
  next: reportedLayerSchema.nullish(),
})
const markSchema = z.object({ bytes: z.number(), modified: z.string(), changed: z.string() })
const marksSchema = z.object({ disk: markSchema.optional(), memory: markSchema.optional() })

/** A file of a layer that is not what it was when it was made. */
export interface DamagedFile {
  layerId: string
  path: string
  why: string
}

export const layersCheck: Check = {
  name: check,
  async examine({ stateFolder, variables, readsLayers }) {
    const { folders } = runnersBelow(stateFolder, variables)
    const layers = folders.flatMap((folder) => layerFolders(join(folder, 'layers')))
    const damaged: DamagedFile[] = []
    for (const path of layers) damaged.push(...(await damagedFiles(path, readsLayers)))
    return judgeLayers(layers.length, damaged)
  },
}

export function judgeLayers(count: number, damaged: readonly DamagedFile[]): Finding[] {
  if (damaged.length === 0) return [{ check, level: 'ok', message: `${count} layers of snapshots are whole` }]
  return damaged.map(({ layerId, path, why }) => ({
    check,
    level: 'problem',
    message: `layer ${layerId}: ${path} ${why}; nothing starts from it, and a machine on it may read wrong data`,
    remedy: `look at the host's disk (dmesg), then: hearth snapshot delete ${layerId} --force, and delete or restore the machines that it names`,
  }))
}

/** The files of one layer that are not what they were; none where it is being made. */
export async function damagedFiles(folder: string, readsAll: boolean): Promise<DamagedFile[]> {
  const layerId = folder.slice(folder.lastIndexOf('/') + 1)
  const layer = readJson(join(folder, 'layer.json'), layerSchema)
  if (layer === null) {
    return [{ layerId, path: join(folder, 'layer.json'), why: 'cannot be read, so nothing says whose it is' }]
  }
  if (layer.phase !== 'present' || layer.facts === null) return []
  const marks = readJson(join(folder, 'marks.json'), marksSchema) ?? {}
  const disk = ['disk.qcow2', 'disk'].map((name) => join(folder, name)).find(existsSync)
  const disks = [layer.facts.disk, layer.flattened?.disk, layer.next?.disk].filter((file) => file != null)
  const faults = [await faultOf(disk ?? join(folder, 'disk.qcow2'), disks, readsAll ? null : marks.disk)]
  if (layer.facts.memory !== null) {
    const memory = join(folder, 'memory')
    faults.push(await faultOf(memory, [layer.facts.memory], readsAll ? null : marks.memory))
  }
  return faults.flatMap((fault) => (fault === null ? [] : [{ layerId, ...fault }]))
}

async function faultOf(
  path: string,
  right: readonly LayerFile[],
  mark: z.infer<typeof markSchema> | null | undefined,
): Promise<Omit<DamagedFile, 'layerId'> | null> {
  const seen = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (seen === undefined) return { path, why: 'is not there' }
  const bytes = Number(seen.size)
  const fitting = right.filter((file) => file.bytes === bytes)
  if (fitting.length === 0) {
    const wanted = right.map((file) => file.bytes).join(' or ')
    return { path, why: `is ${bytes} bytes long, not ${wanted}: it was cut or written to` }
  }
  // A file whose times are as they were when its digest was right is taken to be right, as the agent does.
  const isUntouched =
    mark != null && mark.modified === secondsOf(seen.mtimeNs) && mark.changed === secondsOf(seen.ctimeNs)
  if (isUntouched) return null
  try {
    const digest = createHash('sha256')
    await pipeline(createReadStream(path), digest)
    const found = digest.digest('hex')
    if (fitting.some((file) => file.digest === found)) return null
    return { path, why: `has another SHA-256 than when it was made (${found}): it was changed` }
  } catch (error) {
    return { path, why: `cannot be read: ${toError(error).message}` }
  }
}

/** As `stat -c %.9Y` prints a time. */
function secondsOf(nanoseconds: bigint): string {
  const second = 1_000_000_000n
  return `${nanoseconds / second}.${String(nanoseconds % second).padStart(9, '0')}`
}

function readJson<Value>(path: string, schema: z.ZodType<Value>): Value | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

/** Folders of layers; what interrupted work left has another name. */
function layerFolders(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(isId)
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}
