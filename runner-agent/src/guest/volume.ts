/** A volume as its machine knows it. */
export interface GuestVolume {
  volumeId: string
  /** Absolute path in the guest. */
  mountPath: string
}

/** The guest answered, and could not do it. The message is for a person. */
export class VolumeRefused extends Error {
  override readonly name = 'VolumeRefused'

  constructor(
    readonly code: 'volume_busy' | 'guest_misbehaved',
    message: string,
  ) {
    super(message)
  }
}

/** The volumes that a guest has mounted. Throws GuestUnreachable when the guest was not reached before the signal. */
export interface GuestVolumes {
  /**
   * Mounts a volume, as large as its disk is, now and whenever the guest boots; one that is mounted stays. Throws VolumeRefused
   * where something is in the way.
   */
  mount(volume: GuestVolume, signal: AbortSignal): Promise<void>
  /**
   * Writes out and unmounts a volume, also for later boots. Throws VolumeRefused `volume_busy` with the programs that use it;
   * with `force` they are not waited for.
   */
  unmount(volume: GuestVolume, force: boolean, signal: AbortSignal): Promise<void>
}
