import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import { readDiskChain } from './disk-chain.ts'
import type { ImageFolder } from './image-folder.ts'
import { overLayer } from './layers/layer-base.ts'
import type { LayerPlace } from './layers/layer-place.ts'
import type { MachineDisk } from './machine-disk.ts'
import type { MachineSight } from './machine-sight.ts'

export interface DiskReplacementOptions {
  runner: CommandRunner
  sight: MachineSight
  images: ImageFolder
  place: LayerPlace
  disks: MachineDisk
}

/** Puts machines that are off back to a layer. */
export class DiskReplacement {
  constructor(private readonly options: DiskReplacementOptions) {}

  async replace(environmentId: string, layerId: string, authority: Authority): Promise<void> {
    const { runner, sight, images, place, disks } = this.options
    const machine = await sight.lookToTouch(environmentId, authority)
    if (machine.power !== 'shut_off' && machine.endReason !== 'hypervisor_gone') {
      throw new HostError(
        'host_refused',
        `the machine ${environmentId} is ${machine.power}: its disk is replaced only while it is off`,
      )
    }
    const { lasting } = await disks.definitions(environmentId)
    const content = await place.integrity.check(layerId)
    const image = await images.find(content.machine.image)
    // A disk keeps the size that the guest knows.
    const { virtualBytes } = await readDiskChain(runner, lasting.diskPath)
    await overLayer(place, layerId, image, virtualBytes, async (base) => {
      await authority.assertHeld()
      await disks.replace(environmentId, lasting.diskPath, { path: base.path, isInUse: false }, virtualBytes)
      await authority.assertHeld()
      await disks.settle(environmentId, lasting.diskPath, { layerId, virtualBytes, state: 'fresh' })
    })
  }
}
