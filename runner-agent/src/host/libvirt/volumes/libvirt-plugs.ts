import { setTimeout as delay } from 'node:timers/promises'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'
import type { Power } from '../../machine.ts'
import type { VolumePlugs } from '../../volumes/medium.ts'
import type { VolumeFolders } from '../../volumes/volume-folders.ts'
import { type Domains, domainName } from '../domains.ts'
import type { MachineSight } from '../machine-sight.ts'
import type { Virsh } from '../virsh.ts'
import { controllerElement, freePlace, hasController, volumeElement, volumesIn } from './volume-devices.ts'

export interface LibvirtPlugsOptions {
  runner: CommandRunner
  virsh: Virsh
  domains: Domains
  sight: MachineSight
  folders: VolumeFolders
}

const goneMilliseconds = 30_000
const pollMilliseconds = 100

/** Disks of volumes in libvirt's domains as they run. What a domain starts with is its `Lifecycle`'s. */
export class LibvirtPlugs implements VolumePlugs {
  constructor(private readonly options: LibvirtPlugsOptions) {}

  async power(environmentId: string): Promise<Power> {
    return (await this.options.sight.look(environmentId)).power
  }

  async isPlugged(environmentId: string, path: string): Promise<boolean> {
    return volumesIn(await this.liveDefinition(environmentId)).some((disk) => disk.path === path)
  }

  async plug(environmentId: string, volumeId: string, path: string): Promise<void> {
    const definition = await this.liveDefinition(environmentId)
    const disks = volumesIn(definition)
    if (disks.some((disk) => disk.path === path)) return
    if (!hasController(definition)) await this.attach(environmentId, volumeId, controllerElement)
    await this.attach(environmentId, volumeId, volumeElement(volumeId, path, freePlace(disks)))
  }

  async unplug(environmentId: string, path: string): Promise<void> {
    const ended = performance.now() + goneMilliseconds
    for (let attempt = 0; ; attempt += 1) {
      const disk = volumesIn(await this.liveDefinition(environmentId)).find((each) => each.path === path)
      if (disk === undefined) return
      if (attempt === 0)
        await this.options.virsh.run('detach-disk', domainName(environmentId), disk.target, '--live')
      if (performance.now() > ended)
        throw new HostError('host_refused', `the machine ${environmentId} does not let go of ${disk.target}`)
      await delay(pollMilliseconds)
    }
  }

  async resize(environmentId: string, path: string, bytes: number): Promise<void> {
    await this.options.virsh.run('blockresize', domainName(environmentId), path, `${bytes}B`)
  }

  private async attach(environmentId: string, volumeId: string, element: string): Promise<void> {
    const { runner, virsh, folders } = this.options
    const file = folders.path(volumeId, 'device.xml')
    await runner.writeFile(file, element, 0o600)
    const { error } = await virsh.try('attach-device', domainName(environmentId), file, '--live')
    await runner.remove(file)
    if (error === null) return
    const remedy = /No more available PCI slots/.test(error) ? ': stop the machine and start it again' : ''
    throw new HostError(
      'host_refused',
      `the volume cannot be put into the running machine: ${error}${remedy}`,
    )
  }

  /** As the machine runs, or as its memory has it; empty where it is off. */
  private async liveDefinition(environmentId: string): Promise<string> {
    const { sight, domains, virsh } = this.options
    const { power, endReason } = await sight.look(environmentId)
    // Its QEMU is kept, and has the disks open.
    if (endReason === 'kernel_panicked') return virsh.run('dumpxml', domainName(environmentId))
    switch (power) {
      case 'running':
      case 'paused':
        return virsh.run('dumpxml', domainName(environmentId))
      case 'suspended': {
        const { output, error } = await domains.savedDefinition(sight.folder(environmentId).memory)
        if (error !== null) throw new HostError('host_refused', `the memory cannot be read: ${error}`)
        return output
      }
      case 'absent':
      case 'shut_off':
      case 'crashed':
        return ''
      default:
        return power satisfies never
    }
  }
}
