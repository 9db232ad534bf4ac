import { LocalCommandRunner } from '../command/local.ts'
import type { Host, HostFacts } from '../host.ts'
import type { StoredVolumes } from '../volumes/stored-volumes.ts'
import { VolumeFolders } from '../volumes/volume-folders.ts'
import { LayerStore } from './layer-store.ts'
import { MachineStore } from './machine-store.ts'
import { SyntheticLayers, type SyntheticLayersOptions } from './synthetic-layers.ts'
import { SyntheticMachines, type SyntheticMachinesOptions } from './synthetic-machines.ts'
import { syntheticVolumes } from './synthetic-volumes.ts'

export interface SyntheticHostOptions extends SyntheticMachinesOptions, SyntheticLayersOptions {
  machinesFolder: string
  /** Folder that holds a folder for each layer. */
  layersFolder: string
  /** Folder that holds a folder for each volume. */
  volumesFolder: string
  capacity: Pick<HostFacts, 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes'>
}

/** A host without virtual machines, kept in files: for demonstrations without virtualisation and for tests at scale. */
export class SyntheticHost implements Host {
  readonly machines: SyntheticMachines
  readonly layers: SyntheticLayers
  readonly volumes: StoredVolumes

  constructor(private readonly options: SyntheticHostOptions) {
    const machines = new MachineStore(options.machinesFolder, options.owner)
    const layers = new LayerStore(options.layersFolder, options.owner)
    this.machines = new SyntheticMachines(options, machines, layers)
    const volumes = new VolumeFolders(new LocalCommandRunner(), options.volumesFolder, options.owner)
    const freeBytes = () => this.freeDiskBytes()
    this.layers = new SyntheticLayers(options, layers, machines, freeBytes, volumes)
    this.volumes = syntheticVolumes(options, volumes, machines, freeBytes)
  }

  async facts(): Promise<HostFacts> {
    return { virtualization: 'synthetic', ...this.options.capacity, images: this.options.images }
  }

  async freeDiskBytes(): Promise<number> {
    return this.options.capacity.diskGibibytes * 1024 ** 3
  }

  async close(): Promise<void> {
    this.machines.close()
  }
}
