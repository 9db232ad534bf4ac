import { posix } from 'node:path'
import { isId } from '@hearth/foundation'
import type { CommandRunner } from '../command/command-runner.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import { type VolumeFile, volumeFileSchema } from './volume-file.ts'

const volumeFile = 'volume.json'

/** A volume that is kept for a machine. */
export interface KeptVolume {
  volumeId: string
  path: string
}

/** The folders of one host's volumes. Each holds what is known of the volume, and its disk. */
export class VolumeFolders {
  private readonly folders: OwnedFolders

  constructor(
    private readonly runner: CommandRunner,
    private readonly root: string,
    private readonly owner: string,
  ) {
    this.folders = new OwnedFolders(runner, root, owner)
  }

  list(): Promise<{ folders: string[]; leftovers: string[] }> {
    return this.folders.list()
  }

  path(volumeId: string, name: string): string {
    return posix.join(this.folders.path(volumeId), name)
  }

  /** Another path for each content, so that one never takes the place of another unseen. */
  disk(volumeId: string, { contentNumber }: Pick<VolumeFile, 'contentNumber'>): string {
    return this.path(volumeId, `disk-${contentNumber}`)
  }

  /** Null where there is no folder, or where the folder does not name its owner. */
  async read(volumeId: string): Promise<VolumeFile | null> {
    const text = await this.runner.readFile(this.path(volumeId, volumeFile))
    if (text === null) return null
    try {
      return volumeFileSchema.parse(JSON.parse(text.toString('utf8')))
    } catch {
      return null
    }
  }

  /** Creates the folder; from then on it names its owner. */
  open(volumeId: string, file: VolumeFile): Promise<void> {
    return this.folders.open(volumeId, volumeFile, JSON.stringify(file))
  }

  write(volumeId: string, file: VolumeFile): Promise<void> {
    return this.runner.writeFile(this.path(volumeId, volumeFile), JSON.stringify(file), 0o600)
  }

  /** Removes every disk but that of the content. */
  async clearOthers(volumeId: string, file: VolumeFile): Promise<void> {
    const kept = this.disk(volumeId, file)
    for (const name of await this.runner.list(this.folders.path(volumeId))) {
      const path = this.path(volumeId, name)
      if (name.startsWith('disk-') && path !== kept) await this.runner.remove(path)
    }
  }

  /** Removes the folder, which was proved to belong to the owner. */
  remove(volumeId: string): Promise<void> {
    return this.folders.remove(volumeId)
  }

  clear(volumeId: string): Promise<void> {
    return this.folders.clear(volumeId)
  }

  /** This owner's volumes that are kept for a machine. */
  async keptFor(environmentId: string): Promise<KeptVolume[]> {
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    const script = `grep -lsF -- "$1" "$2"/*/${volumeFile}; true`
    const { stdout } = await this.runner.run(['sh', '-c', script, 'sh', environmentId, this.root])
    const ids = stdout
      .split('\n')
      .map((path) => posix.basename(posix.dirname(path)))
      .filter(isId)
    const kept: KeptVolume[] = []
    for (const volumeId of ids.toSorted()) {
      const file = await this.read(volumeId)
      if (file?.environmentId !== environmentId || file.phase !== 'present') continue
      if (file.ownership.owner === this.owner) kept.push({ volumeId, path: this.disk(volumeId, file) })
    }
    return kept
  }
}
