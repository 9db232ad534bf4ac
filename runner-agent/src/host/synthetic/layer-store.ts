import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type LayerFile, reportedLayerSchema } from '@hearth/contract'
import { z } from 'zod'
import { LocalCommandRunner } from '../command/local.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import { HostError } from '../host-error.ts'
import type { LayerFileName } from '../layer.ts'

const identitySchema = z.object({
  machineId: z.string(),
  hostname: z.string(),
  randomSeedDigest: z.string(),
})

const storedLayerSchema = z.object({
  ownership: z.object({
    owner: z.string(),
    layerId: z.string(),
    epoch: z.number(),
    generation: z.number(),
    createdAt: z.string(),
  }),
  phase: z.enum(['freezing', 'copying', 'present']),
  facts: reportedLayerSchema.nullable(),
  origin: z.object({ identity: identitySchema, hostKey: z.string(), user: z.string() }).nullable(),
  machine: z
    .object({
      image: z.string(),
      imageFingerprint: z.string(),
      virtualCpus: z.number(),
      memoryMebibytes: z.number(),
      virtualBytes: z.number(),
      emulation: z.string().nullable(),
    })
    .nullable(),
  /** What is true once a flattened disk has taken the place of the disk. */
  next: reportedLayerSchema.nullable(),
})
export type StoredLayer = z.infer<typeof storedLayerSchema>

const layerFile = 'layer.json'
const nextDisk = 'disk.next'

/** Synthetic layers as files, one folder each. */
export class LayerStore {
  private readonly files = new LocalCommandRunner()
  private readonly folders: OwnedFolders

  constructor(folder: string, owner: string) {
    this.folders = new OwnedFolders(this.files, folder, owner)
  }

  list(): Promise<{ folders: string[]; leftovers: string[] }> {
    return this.folders.list()
  }

  /** Null where there is no folder, or where the folder does not name its owner. */
  async read(layerId: string): Promise<StoredLayer | null> {
    const text = await this.files.readFile(this.path(layerId, layerFile))
    if (text === null) return null
    try {
      const stored = storedLayerSchema.parse(JSON.parse(text.toString('utf8')))
      return await this.settled(layerId, stored)
    } catch {
      return null
    }
  }

  /** Creates the layer's folder. Rejects when a folder that is not empty already exists. */
  open(layerId: string, layer: StoredLayer): Promise<void> {
    return this.folders.open(layerId, layerFile, JSON.stringify(layer))
  }

  write(layerId: string, layer: StoredLayer): Promise<void> {
    return this.files.writeFile(this.path(layerId, layerFile), JSON.stringify(layer), 0o600)
  }

  async put(layerId: string, file: LayerFileName, content: Buffer): Promise<LayerFile> {
    await this.files.writeFile(this.path(layerId, file), content, 0o600)
    return describe(content)
  }

  async writeNext(layerId: string, content: Buffer): Promise<LayerFile> {
    await this.files.writeFile(this.path(layerId, nextDisk), content, 0o600)
    return describe(content)
  }

  takeNext(layerId: string): Promise<void> {
    return this.files.rename(this.path(layerId, nextDisk), this.path(layerId, 'disk'))
  }

  async append(layerId: string, file: LayerFileName, offset: number, content: Buffer): Promise<void> {
    const there = await this.size(layerId, file)
    if (offset !== there) {
      throw new HostError('host_refused', `the ${file} of ${layerId} has ${there} bytes, not ${offset}`)
    }
    await this.files.writePart(this.path(layerId, file), offset, content)
  }

  /** Zero where there is no such file. */
  async size(layerId: string, file: LayerFileName): Promise<number> {
    return stat(this.path(layerId, file)).then(
      ({ size }) => size,
      () => 0,
    )
  }

  async content(layerId: string, file: LayerFileName): Promise<Buffer> {
    const content = await this.files.readFile(this.path(layerId, file))
    if (content === null) throw damaged(layerId, file)
    return content
  }

  /** Throws HostError `layer_damaged` when a file is not what its digest says. */
  async verify(layerId: string): Promise<void> {
    const stored = await this.read(layerId)
    if (stored === null || stored.facts === null) throw damaged(layerId, 'disk')
    const { disk, memory } = stored.facts
    for (const [file, known] of [['disk', disk] as const, ['memory', memory] as const]) {
      if (known === null) continue
      const found = describe(await this.content(layerId, file))
      if (found.bytes !== known.bytes || found.digest !== known.digest) throw damaged(layerId, file)
    }
  }

  removeFile(layerId: string, file: LayerFileName): Promise<void> {
    return this.files.remove(this.path(layerId, file))
  }

  /** Removes the folder, which was proved to belong to the owner. */
  remove(layerId: string): Promise<void> {
    return this.folders.remove(layerId)
  }

  /** Removes what an interrupted operation left of a folder. */
  clear(layerId: string): Promise<void> {
    return this.folders.clear(layerId)
  }

  /** A layer whose flattening was cut shows what its disk is: the old one, or the flattened one. */
  private async settled(layerId: string, stored: StoredLayer): Promise<StoredLayer> {
    if (stored.next === null) return stored
    const disk = await this.files.readFile(this.path(layerId, 'disk'))
    const isNext = disk !== null && describe(disk).digest === stored.next.disk.digest
    return { ...stored, facts: isNext ? stored.next : stored.facts, next: null }
  }

  private path(layerId: string, file: string): string {
    return join(this.folders.path(layerId), file)
  }
}

function describe(content: Buffer): LayerFile {
  return { bytes: content.length, digest: createHash('sha256').update(content).digest('hex') }
}

function damaged(layerId: string, file: LayerFileName): HostError {
  return new HostError(
    'layer_damaged',
    `the ${file} of the layer ${layerId} is not what it was when it was made`,
  )
}
