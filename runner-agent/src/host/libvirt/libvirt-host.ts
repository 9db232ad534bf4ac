import type { CommandRunner } from '../command/command-runner.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import type { ExclusionScope } from '../exclusion-scope.ts'
import type { Host, HostFacts } from '../host.ts'
import { StoredVolumes } from '../volumes/stored-volumes.ts'
import { VolumeFolders } from '../volumes/volume-folders.ts'
import { type Capacity, measureCapacity, measureFreeBytes } from './capacity.ts'
import { Creation } from './creation.ts'
import { DiskReplacement } from './disk-replacement.ts'
import { DomainSnapshots } from './domain-snapshot.ts'
import { Domains } from './domains.ts'
import { ImageFolder } from './image-folder.ts'
import { Copying } from './layers/copying.ts'
import { Emulation } from './layers/emulation.ts'
import { Flattening } from './layers/flattening.ts'
import { Freezing } from './layers/freezing.ts'
import { LayerPlace } from './layers/layer-place.ts'
import { LibvirtLayers } from './layers/libvirt-layers.ts'
import { Removal } from './layers/removal.ts'
import { LibvirtMachines } from './libvirt-machines.ts'
import { Lifecycle } from './lifecycle.ts'
import { MachineDisk } from './machine-disk.ts'
import { MachineSight } from './machine-sight.ts'
import { MachineSources } from './machine-sources.ts'
import { MemoryStart } from './memory-start.ts'
import { GuestNetworks } from './network/guest-networks.ts'
import { Ports } from './network/ports.ts'
import type { NetworkSettings } from './network/settings.ts'
import { Renaming } from './renaming.ts'
import { Suspension } from './suspension.ts'
import { Virsh } from './virsh.ts'
import { LibvirtPlugs } from './volumes/libvirt-plugs.ts'
import { RawDisks } from './volumes/raw-disks.ts'

export interface LibvirtHostOptions {
  runner: CommandRunner
  uri: string
  virtualization: 'kvm' | 'qemu'
  imagesFolder: string
  /** Folder that holds a folder for each machine. */
  machinesFolder: string
  /** Folder that holds a folder for each layer, on the same file system. */
  layersFolder: string
  /** Folder that holds a folder for each volume. */
  volumesFolder: string
  exclusion: ExclusionScope
  /** Free bytes that freezing and copying leave. */
  diskReserveBytes: number
  /** The runner's id, which marks a machine as this agent's own. */
  owner: string
  /** The host's address on which guests are reached. */
  guestAddress: string
  network: NetworkSettings
  /**
   * Folder that holds a folder for each guest's networking process. Its path must be short, and owned by this user or
   * root alone.
   */
  socketsFolder: string
  /** Whether commands on the host run as root. */
  isRoot: boolean
  /** OpenSSH public key that the agent logs in to guests with. */
  agentKey: string
  capacity: { [Name in keyof Capacity]?: number | undefined }
  clock: { now(): Date }
}

/** A host whose machines are libvirt domains with QEMU. */
export class LibvirtHost implements Host {
  readonly machines: LibvirtMachines
  readonly layers: LibvirtLayers
  readonly volumes: StoredVolumes
  private readonly images: ImageFolder
  private readonly networks: GuestNetworks
  private capacity: Promise<Capacity> | null = null

  constructor(private readonly options: LibvirtHostOptions) {
    const { runner, owner } = options
    const virsh = new Virsh(runner, options.uri)
    const domains = new Domains(virsh)
    this.images = new ImageFolder(runner, options.imagesFolder)
    const ports = new Ports(runner)
    this.networks = new GuestNetworks({ ...options, virsh, ports, settings: options.network })
    const folders = new OwnedFolders(runner, options.machinesFolder, owner)
    const { images, networks } = this
    const sight = new MachineSight({ runner, domains, folders, networks, owner })
    const emulatorUser = () => networks.emulatorUser()
    const place = new LayerPlace({ ...options, emulatorUser })
    const snapshots = new DomainSnapshots(virsh, options.virtualization)
    const disks = new MachineDisk(runner, domains, snapshots, (id) => sight.folder(id))
    const sources = new MachineSources(sight, disks, place)
    const emulation = new Emulation(runner, virsh)
    const creation = new Creation({ ...options, domains, sight, images, networks, place })
    const { socketsFolder, volumesFolder, diskReserveBytes } = options
    const volumeFolders = new VolumeFolders(runner, volumesFolder, owner)
    const lifecycle = new Lifecycle({
      runner,
      domains,
      sight,
      folders,
      networks,
      disks,
      sources,
      socketsFolder,
      volumes: volumeFolders,
    })
    const parts = { ...options, domains, sight, lifecycle, disks, place, emulation, sources, images }
    const memoryStart = new MemoryStart({ ...parts, emulatorUser })
    const suspension = new Suspension({ ...parts, networks })
    const diskReplacement = new DiskReplacement(parts)
    const renaming = new Renaming(parts)
    this.machines = new LibvirtMachines({
      ...parts,
      ...{ creation, memoryStart, suspension, diskReplacement, renaming, networks },
    })
    this.volumes = new StoredVolumes({
      ...options,
      folders: volumeFolders,
      disks: new RawDisks(runner, volumesFolder, diskReserveBytes),
      plugs: new LibvirtPlugs({ runner, virsh, domains, sight, folders: volumeFolders }),
    })
    this.layers = new LibvirtLayers({
      place,
      freezing: new Freezing({ ...parts, snapshots }),
      flattening: new Flattening(place, images),
      copying: new Copying(place, images, options.clock),
      removal: new Removal(place, disks, domains),
    })
  }

  async facts(): Promise<HostFacts> {
    this.capacity ??= measureCapacity(this.options.runner, this.options.machinesFolder, this.options.capacity)
    return {
      virtualization: this.options.virtualization,
      ...(await this.capacity),
      images: await this.images.names(),
      warnings: await this.networks.warnings(),
    }
  }

  freeDiskBytes(): Promise<number> {
    return measureFreeBytes(this.options.runner, this.options.machinesFolder)
  }

  async close(): Promise<void> {
    await this.options.runner.close()
  }
}
