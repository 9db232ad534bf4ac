import { z } from 'zod'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'
import type { LayerFileName } from '../../layer.ts'
import { digestFiles } from './digest.ts'
import type { LayerFileContent } from './layer-file.ts'
import type { LayerFolder } from './layer-folder.ts'

const markSchema = z.object({ bytes: z.number(), modified: z.string(), changed: z.string() })
const marksSchema = z.object({ disk: markSchema.optional(), memory: markSchema.optional() })
type Mark = z.infer<typeof markSchema>
type Marks = z.infer<typeof marksSchema>

/**
 * Finds layers that are not what they were. A file whose size and times are as they were when its digest was right is
 * taken to be right; any other is read whole.
 */
export class LayerIntegrity {
  /** Starts of machines that are under way, for each layer below them: libvirt sets the owner of those files anew. */
  private readonly starts = new Map<string, number>()

  constructor(
    private readonly runner: CommandRunner,
    private readonly folderOf: (layerId: string) => LayerFolder,
  ) {}

  /**
   * Throws HostError `layer_damaged` unless the layer is present, and its disk and all layers below it are as they were
   * made.
   */
  async check(layerId: string): Promise<LayerFileContent> {
    const content = await presentIn(this.folderOf(layerId))
    await this.checkChain(layerId)
    return content
  }

  /** Throws HostError `layer_damaged` unless the layer's memory is as it was made. */
  async checkMemory(layerId: string): Promise<void> {
    const folder = this.folderOf(layerId)
    await this.checkFile(folder, await presentIn(folder), 'memory')
  }

  /**
   * Throws HostError `layer_damaged` unless the layer and all layers below it are as they were made. One whose freezing
   * was given up is what its machine stands on all the same; nothing says what its digest was.
   */
  async checkChain(layerId: string): Promise<void> {
    for (const { folder, content } of await this.chain(layerId)) {
      if (content.phase === 'present') await this.checkFile(folder, content, 'disk')
    }
  }

  /** Reads the layer's files whole. Throws HostError `layer_damaged`. */
  async verify(layerId: string, signal: AbortSignal): Promise<void> {
    const folder = this.folderOf(layerId)
    const content = await presentIn(folder)
    for (const name of ['disk', 'memory'] as const) {
      if (content.facts[name] === null) continue
      await this.compare(folder, content, name, await this.markOf(folder, name), signal)
    }
  }

  /** Notes that the files are as `layer.json` says, which was just written. */
  async note(folder: LayerFolder, names: readonly LayerFileName[]): Promise<void> {
    const marks: Marks = await this.marks(folder)
    for (const name of names) marks[name] = (await this.markOf(folder, name)) ?? undefined
    // Marks only spare reading: the next check does without them.
    await this.runner.writeFile(folder.marks, JSON.stringify(marks), 0o600).catch(() => undefined)
  }

  /** Does what makes libvirt set the owner of a layer's file and of those below it, after they were checked. */
  async whileStarting<Result>(layerId: string, work: () => Promise<Result>): Promise<Result> {
    const chain = await this.chain(layerId)
    const count = (id: string, change: number) => {
      const left = (this.starts.get(id) ?? 0) + change
      if (left === 0) this.starts.delete(id)
      else this.starts.set(id, left)
      return left
    }
    for (const { folder } of chain) count(folder.layerId, 1)
    try {
      return await work()
    } finally {
      for (const { folder } of chain) {
        if (count(folder.layerId, -1) === 0) await this.noteOwners(folder)
      }
    }
  }

  /** The layer and all below it, the uppermost first. */
  async chain(layerId: string): Promise<{ folder: LayerFolder; content: LayerFileContent }[]> {
    const chain = []
    for (let id: string | null = layerId; id !== null; ) {
      const folder = this.folderOf(id)
      const content = await folder.read()
      if (content === null) throw damaged(id, 'it is not on this host')
      chain.push({ folder, content })
      id = content.facts.parentId
    }
    return chain
  }

  private async checkFile(
    folder: LayerFolder,
    content: LayerFileContent,
    name: LayerFileName,
  ): Promise<void> {
    if (content.facts[name] === null) return
    const [marks, seen] = [await this.marks(folder), await this.markOf(folder, name)]
    const known = marks[name]
    const isStarting = this.starts.has(folder.layerId)
    if (known !== undefined && seen !== null && isSame(known, seen, isStarting)) return
    await this.compare(folder, content, name, seen)
    await this.note(folder, [name])
  }

  private async compare(
    folder: LayerFolder,
    { facts, flattened }: LayerFileContent,
    name: LayerFileName,
    seen: Mark | null,
    signal?: AbortSignal,
  ): Promise<void> {
    const right = [facts[name], name === 'disk' ? (flattened?.disk ?? null) : null].filter(
      (file) => file !== null,
    )
    const fitting = right.filter(({ bytes }) => bytes === seen?.bytes)
    if (seen !== null && fitting.length > 0) {
      const [digest] = await digestFiles(this.runner, [folder.file(name)], seen.bytes, signal)
      if (fitting.some((file) => file.digest === digest)) return
    }
    throw damaged(folder.layerId, `its ${name} (${folder.file(name)}) is not what it was when it was made`)
  }

  private async noteOwners(folder: LayerFolder): Promise<void> {
    const known = (await this.marks(folder)).disk
    const seen = await this.markOf(folder, 'disk').catch(() => null)
    if (known !== undefined && seen !== null && isSame(known, seen, true)) await this.note(folder, ['disk'])
  }

  private async marks(folder: LayerFolder): Promise<Marks> {
    const text = await this.runner.readFile(folder.marks)
    if (text === null) return {}
    try {
      return marksSchema.parse(JSON.parse(text.toString('utf8')))
    } catch {
      return {}
    }
  }

  private async markOf(folder: LayerFolder, name: LayerFileName): Promise<Mark | null> {
    const result = await this.runner.run(['stat', '-c', '%s %.9Y %.9Z', '--', folder.file(name)])
    const [, bytes, modified, changed] = /^(\d+) (\S+) (\S+)$/.exec(result.stdout.trim()) ?? []
    if (bytes === undefined || modified === undefined || changed === undefined) return null
    return { bytes: Number(bytes), modified, changed }
  }
}

/** What is known of a present layer. Throws HostError `layer_damaged` where it is not present. */
async function presentIn(folder: LayerFolder): Promise<LayerFileContent> {
  const content = await folder.read()
  if (content?.phase === 'present') return content
  throw damaged(folder.layerId, content === null ? 'it is not on this host' : 'it was never completed')
}

function isSame(known: Mark, seen: Mark, isStarting: boolean): boolean {
  return (
    known.bytes === seen.bytes &&
    known.modified === seen.modified &&
    (isStarting || known.changed === seen.changed)
  )
}

export function damaged(layerId: string, why: string): HostError {
  return new HostError('layer_damaged', `the layer ${layerId} cannot be used: ${why}`)
}
