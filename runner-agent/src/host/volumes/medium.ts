import type { Power } from '../machine.ts'

/** How a host makes the disks of volumes. */
export interface VolumeDisks {
  /** Makes a disk with an empty file system; what is at the path is replaced. */
  make(path: string, volumeId: string, bytes: number): Promise<void>
  /** Makes a disk of at least so many bytes with the content of another; what is at the path is replaced. */
  copy(from: string, path: string, bytes: number): Promise<void>
  grow(path: string, bytes: number): Promise<void>
  /** What disks take of the host's own, in bytes. */
  usedBytes(path: string): Promise<number>
  /** Throws HostError `disk_full` when so many bytes would not fit beside the reserve. */
  assertRoom(what: string, bytes: number): Promise<void>
}

/** How a host puts disks into machines, and takes them out. */
export interface VolumePlugs {
  power(environmentId: string): Promise<Power>
  /** Whether the machine has the disk in it: as it runs, or in its memory while it is suspended. */
  isPlugged(environmentId: string, path: string): Promise<boolean>
  plug(environmentId: string, volumeId: string, path: string): Promise<void>
  unplug(environmentId: string, path: string): Promise<void>
  /** Enlarges a disk in a machine that runs. */
  resize(environmentId: string, path: string, bytes: number): Promise<void>
}
