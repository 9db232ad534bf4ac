import type { Authority } from '../../authority.ts'
import { HostError } from '../../host-error.ts'
import type {
  FreezeRequest,
  Layer,
  LayerEntry,
  LayerFileName,
  LayerManifest,
  LayerPart,
} from '../../layer.ts'
import type { Layers } from '../../layers.ts'
import type { Copying } from './copying.ts'
import { diskContent } from './disk-content.ts'
import type { Flattening } from './flattening.ts'
import type { Freezing } from './freezing.ts'
import type { LayerPlace } from './layer-place.ts'
import type { Removal } from './removal.ts'

export interface LibvirtLayersOptions {
  place: LayerPlace
  freezing: Freezing
  flattening: Flattening
  copying: Copying
  removal: Removal
}

/** Layers as qcow2 files, and memory images that libvirt made. */
export class LibvirtLayers implements Layers {
  constructor(private readonly options: LibvirtLayersOptions) {}

  async inventory(): Promise<LayerEntry[]> {
    const { place } = this.options
    const [{ folders, leftovers }, usage] = await Promise.all([place.list(), place.usage.all()])
    const entries = await Promise.all(
      folders.map(async (layerId): Promise<LayerEntry> => {
        const content = await place.folder(layerId).read()
        const { facts = null, ownership = null } = content ?? {}
        const bytes = (facts?.disk.bytes ?? 0) + (facts?.memory?.bytes ?? 0)
        const parentId = facts?.parentId ?? null
        return { layerId, ownership, bytes, parentId, usedBy: usage.get(layerId) ?? [] }
      }),
    )
    const left = leftovers.filter((id) => !folders.includes(id)).map((id) => this.leftover(id))
    return [...entries, ...left]
  }

  async look(layerId: string): Promise<Layer> {
    const content = await this.options.place.folder(layerId).read()
    const present = content?.phase === 'present' ? content : null
    return {
      layerId,
      ownership: content?.ownership ?? null,
      phase: present !== null ? 'present' : content === null ? 'absent' : 'partial',
      facts: present?.facts ?? null,
      origin: present?.origin ?? null,
      machine: present?.machine ?? null,
    }
  }

  freeze(request: FreezeRequest, authority: Authority): Promise<void> {
    const { place, freezing } = this.options
    const { layerId, environmentId } = request
    return place.exclusion.machine(environmentId, () =>
      place.exclusion.layer(layerId, () => freezing.freeze(request, authority)),
    )
  }

  remove(layerId: string, authority: Authority): Promise<string[]> {
    return this.options.removal.remove(layerId, authority)
  }

  flatten(
    layerId: string,
    progress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
    authority: Authority,
  ): Promise<void> {
    return this.options.flattening.flatten(layerId, progress, signal, authority)
  }

  verify(layerId: string, signal: AbortSignal): Promise<void> {
    return this.options.place.integrity.verify(layerId, signal)
  }

  async read(layerId: string, file: LayerFileName, offset: number, length: number): Promise<Buffer> {
    const folder = this.options.place.folder(layerId)
    const content = await folder.read()
    if (content?.phase === 'present' && content.facts[file] !== null) {
      return this.options.place.runner.readPart(folder.file(file), offset, length)
    }
    throw new HostError('host_refused', `the layer ${layerId} has no ${file} on this host`)
  }

  async content(layerId: string): Promise<LayerPart[]> {
    const { place } = this.options
    const folder = place.folder(layerId)
    if ((await folder.read())?.phase === 'present') return diskContent(place.runner, folder.disk)
    throw new HostError('host_refused', `there is no layer ${layerId}`)
  }

  beginCopy(manifest: LayerManifest, authority: Authority): Promise<void> {
    return this.options.copying.begin(manifest, authority)
  }

  receivedBytes(layerId: string, file: LayerFileName): Promise<number> {
    return this.options.copying.receivedBytes(layerId, file)
  }

  write(
    layerId: string,
    file: LayerFileName,
    offset: number,
    content: Buffer,
    authority: Authority,
  ): Promise<void> {
    return this.options.copying.write(layerId, file, offset, content, authority)
  }

  completeCopy(layerId: string, authority: Authority): Promise<void> {
    return this.options.copying.complete(layerId, authority)
  }

  /** What an interrupted operation left of a folder: the name proves our ownership, and it is older than any order. */
  private leftover(layerId: string): LayerEntry {
    const ownership = { owner: this.options.place.owner, layerId, epoch: 0, generation: 0, createdAt: '' }
    return { layerId, ownership, bytes: 0, parentId: null, usedBy: [] }
  }
}
