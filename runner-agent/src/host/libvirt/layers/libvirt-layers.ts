import { HostError } from '../../host-error.ts'
import type { Layer, LayerEntry } from '../../layer.ts'
import type { Layers } from '../../layers.ts'

export async function notYet(): Promise<never> {
  throw new HostError('host_refused', 'libvirt hosts have no layers yet')
}

/** Layers as qcow2 files and memory images that libvirt made. */
export class LibvirtLayers implements Layers {
  async inventory(): Promise<LayerEntry[]> {
    return []
  }

  async look(layerId: string): Promise<Layer> {
    return { layerId, ownership: null, phase: 'absent', facts: null, origin: null, machine: null }
  }

  freeze = notYet
  remove = notYet
  flatten = notYet
  verify = notYet
  read = notYet
  content = notYet
  beginCopy = notYet
  receivedBytes = notYet
  write = notYet
  completeCopy = notYet
}
