import { type Authority, assertMayTouchLayer } from '../../authority.ts'
import type { CommandRunner } from '../../command/command-runner.ts'
import { OwnedFolders } from '../../command/owned-folders.ts'
import { assertRoom } from '../../disk-reserve.ts'
import type { ExclusionScope } from '../../exclusion-scope.ts'
import { HostError } from '../../host-error.ts'
import { measureFreeBytes } from '../capacity.ts'
import { DiskUsage } from './disk-usage.ts'
import { LayerIntegrity } from './integrity.ts'
import type { LayerFileContent } from './layer-file.ts'
import { LayerFolder } from './layer-folder.ts'

export interface LayerPlaceOptions {
  runner: CommandRunner
  machinesFolder: string
  layersFolder: string
  owner: string
  exclusion: ExclusionScope
  diskReserveBytes: number
  /** User id that QEMU runs under; null where it runs under the user that commands run under. */
  emulatorUser: () => Promise<number | null>
}

/** The folders of one host's layers, and who may touch what in them. */
export class LayerPlace {
  readonly runner: CommandRunner
  readonly exclusion: ExclusionScope
  readonly usage: DiskUsage
  readonly integrity: LayerIntegrity
  readonly owner: string
  private readonly folders: OwnedFolders

  constructor(private readonly options: LayerPlaceOptions) {
    const { runner, machinesFolder, layersFolder, owner, exclusion } = options
    this.runner = runner
    this.exclusion = exclusion
    this.owner = owner
    this.folders = new OwnedFolders(runner, layersFolder, owner)
    this.usage = new DiskUsage(runner, machinesFolder, layersFolder)
    this.integrity = new LayerIntegrity(runner, (layerId) => this.folder(layerId))
  }

  folder(layerId: string): LayerFolder {
    return new LayerFolder(this.runner, this.folders, layerId)
  }

  list(): Promise<{ folders: string[]; leftovers: string[] }> {
    return this.folders.list()
  }

  /** What is known of the layer, if this authority may change it; null where there is none. */
  async own(layerId: string, authority: Authority): Promise<LayerFileContent | null> {
    const content = await this.folder(layerId).read()
    if (content !== null) {
      const phase = content.phase === 'present' ? 'present' : 'partial'
      assertMayTouchLayer({ layerId, phase, ownership: content.ownership }, this.owner, authority)
    }
    return content
  }

  /** Throws HostError where the layer is not present. */
  async present(layerId: string, authority: Authority): Promise<LayerFileContent> {
    const content = await this.own(layerId, authority)
    if (content?.phase === 'present') return content
    throw new HostError('host_refused', `there is no layer ${layerId}`)
  }

  /** Makes the disk readable to QEMU, the memory to nobody but who runs commands, and both writable to nobody. */
  async closeFiles(disk: string, memory: string | null): Promise<void> {
    const user = await this.options.emulatorUser()
    const script =
      'if [ -n "$1" ]; then chown "$1" -- "$2" || exit; fi; shift; chmod 0400 -- "$@" || exit; ' +
      'if [ -n "$2" ] && [ "$(id -u)" = 0 ]; then chown 0:0 -- "$2"; fi'
    const paths = memory === null ? [disk] : [disk, memory]
    const result = await this.runner.run(['sh', '-c', script, 'sh', String(user ?? ''), ...paths])
    if (result.exitCode === 0) return
    throw new HostError('host_refused', `a layer is not complete: ${result.stderr.trim()}`)
  }

  /** Throws HostError `disk_full` when so many bytes would not fit beside the reserve. */
  async assertRoom(what: string, bytes: number): Promise<void> {
    const { runner, machinesFolder, diskReserveBytes } = this.options
    await this.runner.run(['mkdir', '-p', '-m', '711', '--', machinesFolder])
    assertRoom(what, bytes, await measureFreeBytes(runner, machinesFolder), diskReserveBytes)
  }
}
