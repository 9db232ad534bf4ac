import { posix } from 'node:path'
import type { CommandRunner } from '../../command/command-runner.ts'
import type { OwnedFolders } from '../../command/owned-folders.ts'
import type { LayerFileName } from '../../layer.ts'
import { type LayerFileContent, layerFileSchema } from './layer-file.ts'

const layerFile = 'layer.json'

/** The folder that holds every file of one layer and is removed with it. */
export class LayerFolder {
  readonly path: string

  constructor(
    private readonly runner: CommandRunner,
    private readonly folders: OwnedFolders,
    readonly layerId: string,
  ) {
    this.path = folders.path(layerId)
  }

  get disk(): string {
    return posix.join(this.path, 'disk.qcow2')
  }

  get memory(): string {
    return posix.join(this.path, 'memory')
  }

  /** The disk that a flattening makes, until it takes the place of the disk. */
  get flattened(): string {
    return posix.join(this.path, 'flattened')
  }

  /** What the files' times and sizes were when their digests were last right. */
  get marks(): string {
    return posix.join(this.path, 'marks.json')
  }

  /** The disk of a copy that is not complete: its header does not name the files of this host. */
  get received(): string {
    return posix.join(this.path, 'received')
  }

  file(name: LayerFileName): string {
    return name === 'disk' ? this.disk : this.memory
  }

  /** Null where there is no folder, or where the folder does not name its owner. */
  async read(): Promise<LayerFileContent | null> {
    const text = await this.runner.readFile(posix.join(this.path, layerFile))
    if (text === null) return null
    try {
      return await this.settled(layerFileSchema.parse(JSON.parse(text.toString('utf8'))))
    } catch {
      return null
    }
  }

  /** A flattened disk that has lost its own name has taken the place of the disk. */
  private async settled(content: LayerFileContent): Promise<LayerFileContent> {
    const { flattened, facts } = content
    if (flattened === null) return content
    const { exitCode } = await this.runner.run(['test', '-e', this.flattened])
    if (exitCode === 0) return content
    const { memory, memoryFault } = facts
    return { ...content, facts: { ...flattened, memory, memoryFault }, flattened: null }
  }

  /** Creates the folder; from then on it names its owner. */
  open(content: LayerFileContent): Promise<void> {
    return this.folders.open(this.layerId, layerFile, textOf(content))
  }

  write(content: LayerFileContent): Promise<void> {
    return this.runner.writeFile(posix.join(this.path, layerFile), textOf(content), 0o600)
  }

  /** Removes the folder, which was proved to belong to the owner, and what interrupted operations left of it. */
  remove(): Promise<void> {
    return this.folders.remove(this.layerId)
  }

  /** Removes what interrupted operations left; a complete folder is not touched. */
  clear(): Promise<void> {
    return this.folders.clear(this.layerId)
  }
}

function textOf(content: LayerFileContent): string {
  return `${JSON.stringify(content, null, 2)}\n`
}
