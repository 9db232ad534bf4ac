import type { Authority } from './authority.ts'
import type { Volume, VolumeEntry, VolumeSpecification } from './volume.ts'

/**
 * The volumes of one host: disks that outlive machines. As with machines, a method may be repeated after it was interrupted
 * at any point, checks its authority before each single action, and never touches a volume that is not proved to belong to
 * this runner. A disk is in one machine at most: it is kept for that machine before it is put in, and until it is out.
 */
export interface Volumes {
  /** All volumes in the host's folder, of any owner, and what interrupted operations left of this runner's. */
  inventory(): Promise<VolumeEntry[]>
  look(volumeId: string): Promise<Volume>
  /**
   * Makes the disk with an empty file system, or as a copy; one that is there is left as it is. Throws HostError
   * `disk_full` when there is no room, `host_refused` when the volume to copy is not there or kept for a machine.
   */
  create(specification: VolumeSpecification, authority: Authority): Promise<void>
  /**
   * Keeps the volume for this machine, and puts the disk into it if it runs; else it is put in when the machine starts.
   * Throws HostError `host_refused` when another machine has it.
   */
  attach(volumeId: string, environmentId: string, authority: Authority): Promise<void>
  /**
   * Takes the disk out of its machine, which may run. Throws HostError `host_refused` while that machine is suspended:
   * its memory knows the disk.
   */
  detach(volumeId: string, authority: Authority): Promise<void>
  /** Enlarges the disk, also in a machine that runs; a smaller size changes nothing. */
  grow(volumeId: string, bytes: number, authority: Authority): Promise<void>
  /** Gives it a new, empty file system under this number. Throws HostError `host_refused` while a machine has the disk. */
  clear(volumeId: string, contentNumber: number, authority: Authority): Promise<void>
  /** Throws HostError `host_refused` while it is kept for a machine. */
  remove(volumeId: string, authority: Authority): Promise<void>
}
