import { cp, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assertRoom } from '../disk-reserve.ts'
import type { ExclusionScope } from '../exclusion-scope.ts'
import { HostError } from '../host-error.ts'
import type { Power } from '../machine.ts'
import type { VolumeDisks, VolumePlugs } from '../volumes/medium.ts'
import { StoredVolumes } from '../volumes/stored-volumes.ts'
import type { VolumeFolders } from '../volumes/volume-folders.ts'
import type { MachineStore } from './machine-store.ts'

export interface SyntheticVolumesOptions {
  owner: string
  exclusion: ExclusionScope
  diskReserveBytes: number
  clock: { now(): Date }
}

/** Volumes of a synthetic host: the disk is a folder, and what is in it are the files of the volume. */
export function syntheticVolumes(
  options: SyntheticVolumesOptions,
  folders: VolumeFolders,
  machines: MachineStore,
  freeBytes: () => Promise<number>,
): StoredVolumes {
  return new StoredVolumes({
    ...options,
    folders,
    disks: new FolderDisks(options.diskReserveBytes, freeBytes),
    plugs: new StoredPlugs(machines, folders),
  })
}

class FolderDisks implements VolumeDisks {
  constructor(
    private readonly diskReserveBytes: number,
    private readonly freeBytes: () => Promise<number>,
  ) {}

  async make(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
    await mkdir(path, { recursive: true, mode: 0o700 })
  }

  async copy(from: string, path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
    await cp(from, path, { recursive: true })
  }

  async grow(): Promise<void> {
    // A folder has no size of its own.
  }

  async usedBytes(path: string): Promise<number> {
    const names = await readdir(path, { recursive: true }).catch(() => null)
    if (names === null)
      throw new HostError('volume_missing', `the disk of the volume at ${path} is not there`)
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  async assertRoom(what: string, bytes: number): Promise<void> {
    assertRoom(what, bytes, await this.freeBytes(), this.diskReserveBytes)
  }
}

/** A machine that is on has what is kept for it. */
class StoredPlugs implements VolumePlugs {
  constructor(
    private readonly machines: MachineStore,
    private readonly folders: VolumeFolders,
  ) {}

  async power(environmentId: string): Promise<Power> {
    return (await this.machines.read(environmentId))?.power ?? 'absent'
  }

  async isPlugged(environmentId: string, path: string): Promise<boolean> {
    const kept = await this.folders.keptFor(environmentId)
    if (!kept.some((volume) => volume.path === path)) return false
    return ['running', 'paused', 'suspended'].includes(await this.power(environmentId))
  }

  async plug(): Promise<void> {
    // Whoever keeps it for the machine has said so before.
  }

  async unplug(): Promise<void> {
    // Whoever takes it out says so after this.
  }

  async resize(): Promise<void> {
    // A folder has no size of its own.
  }
}
