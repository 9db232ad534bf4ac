import type { Authority } from './authority.ts'
import type { FreezeRequest, Layer, LayerEntry, LayerFileName, LayerManifest, LayerPart } from './layer.ts'

/** Images and layers that QEMU may have to open below a machine's disk. */
export const deepestLayer = 24

/**
 * The layers of one host: frozen disks, each the base of machines and of other layers. As with machines, a method may be
 * repeated after it was interrupted at any point, checks its authority before each single action, and never touches a
 * layer that is not proved to belong to this runner. What stands on a layer is read from the disks on the host.
 */
export interface Layers {
  /** All layers in the host's folder, of any owner, and what interrupted operations left of this runner's. */
  inventory(): Promise<LayerEntry[]>
  look(layerId: string): Promise<Layer>
  /**
   * Freezes the disk of a machine, running or off; the machine goes on over the layer. Throws StaleAuthority when the
   * machine shows a newer epoch, and HostError: `disk_full` when the host's reserve would be touched, `host_refused`
   * when there is no such machine or its disk stands on too many layers.
   */
  freeze(request: FreezeRequest, authority: Authority): Promise<void>
  /**
   * Removes the memory at once and the rest as soon as nothing stands on the layer. Resolves with the ids of the
   * environments and layers that still do; with none the layer is gone.
   */
  remove(layerId: string, authority: Authority): Promise<string[]>
  /**
   * Gives the layer the image as its only base; its content stays the same and machines on it go on. Throws HostError
   * `disk_full` when there is no room for it.
   */
  flatten(
    layerId: string,
    progress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
    authority: Authority,
  ): Promise<void>
  /** Computes the digests of the layer's files again. Throws HostError `layer_damaged` with the name of the file. */
  verify(layerId: string, signal: AbortSignal): Promise<void>
  /** Part of one file of a present layer, shorter at the end of the file. */
  read(layerId: string, file: LayerFileName, offset: number, length: number): Promise<Buffer>
  /**
   * The parts of the disk's file that the guest sees, in the order of the guest's addresses, as offsets in the file and
   * lengths in bytes. `isContinued`: the guest sees the part right behind the one before.
   */
  content(layerId: string): Promise<LayerPart[]>
  /**
   * Begins to receive a copy, or goes on with one; a partial copy of another content is begun anew. Throws HostError
   * `disk_full` when there is no room, `host_refused` when the layer below or the image is not on this host.
   */
  beginCopy(manifest: LayerManifest, authority: Authority): Promise<void>
  /** Bytes of a file of a partial copy that are there; writing goes on from there. */
  receivedBytes(layerId: string, file: LayerFileName): Promise<number>
  /** Appends to a file of a partial copy. Throws HostError `host_refused` when the offset is not its length. */
  write(
    layerId: string,
    file: LayerFileName,
    offset: number,
    content: Buffer,
    authority: Authority,
  ): Promise<void>
  /** Checks the digests and makes the copy present. What differs is removed, with HostError `layer_damaged`. */
  completeCopy(layerId: string, authority: Authority): Promise<void>
}
