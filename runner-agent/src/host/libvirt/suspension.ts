import { posix } from 'node:path'
import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import { withGenerationIdOf } from './definition.ts'
import type { Domains } from './domains.ts'
import type { LayerPlace } from './layers/layer-place.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { MachineDisk } from './machine-disk.ts'
import type { MachineFolder } from './machine-folder.ts'
import type { MachineSight } from './machine-sight.ts'
import type { GivenSuspension } from './metadata.ts'
import type { GuestNetworks } from './network/guest-networks.ts'
import { withDevicesOf } from './volumes/volume-devices.ts'

export interface SuspensionOptions {
  runner: CommandRunner
  domains: Domains
  sight: MachineSight
  lifecycle: Lifecycle
  disks: MachineDisk
  place: LayerPlace
  networks: GuestNetworks
}

const bytesPerMebibyte = 1024 ** 2
/** A slow disk takes and gives at least so much. */
const leastMebibytesPerSecond = 20

/**
 * Keeps the memory of a machine that is off in the machine's folder. The memory belongs to the disk as it was left, so
 * it is given up before the guest runs again, and a machine that was cut while its memory was loaded is still suspended.
 */
export class Suspension {
  constructor(private readonly options: SuspensionOptions) {}

  async suspend(environmentId: string, authority: Authority): Promise<void> {
    const { sight, disks, domains, place, networks } = this.options
    // An agent that has ended may have asked for it: libvirt goes on without it.
    const { live } = await disks.definitions(environmentId)
    const machine = await sight.lookToTouch(environmentId, authority)
    const folder = sight.folder(environmentId)
    if (machine.power !== 'suspended') {
      if (machine.power !== 'running') {
        throw new HostError(
          'host_refused',
          `the machine is ${machine.power}: only what runs can be suspended`,
        )
      }
      const { memoryMebibytes } = live
      await place.assertRoom(`suspending the machine ${environmentId}`, memoryMebibytes * bytesPerMebibyte)
      await authority.assertHeld()
      await folder.noteSuspension({ state: 'saving', hostBootId: machine.hostBootId })
      await this.options.runner.remove(folder.memory)
      await authority.assertHeld()
      const error = await domains.save(environmentId, folder.memory, millisecondsFor(memoryMebibytes))
      if (error !== null) {
        await folder.giveUpMemory()
        throw new HostError('host_refused', `the machine cannot be suspended: ${error}`)
      }
    }
    await this.keep(folder, machine.hostBootId)
    await networks.release(environmentId)
  }

  async resume(environmentId: string, authority: Authority): Promise<void> {
    const { sight, disks, domains, lifecycle } = this.options
    const { lasting } = await disks.definitions(environmentId)
    const machine = await sight.lookToTouch(environmentId, authority)
    const folder = sight.folder(environmentId)
    if (machine.power !== 'suspended') {
      if (machine.power === 'paused') return lifecycle.resume(environmentId, authority)
      if (machine.power === 'running') return folder.giveUpMemory()
      throw new HostError('memory_unusable', 'the memory of the machine is no longer there')
    }
    await authority.assertHeld()
    // Its memory was loaded, and it did not go on.
    await domains.destroy(environmentId)
    const error = await lifecycle.launch(environmentId, authority, () =>
      this.load(environmentId, folder, lasting.memoryMebibytes),
    )
    await authority.assertHeld()
    if (error !== null && lacksMemory(error)) {
      throw new HostError('host_refused', `the machine does not go on: ${error}`)
    }
    await folder.noteSuspension(null)
    if (error === null) await domains.resume(environmentId)
    await folder.giveUpMemory()
    if (error !== null) throw new HostError('memory_unusable', error)
  }

  /** Resolves with the reason when libvirt refuses. */
  private async load(
    environmentId: string,
    folder: MachineFolder,
    mebibytes: number,
  ): Promise<string | null> {
    const { runner, domains } = this.options
    const definition = posix.join(folder.path, 'resumed.xml')
    try {
      const saved = await domains.savedDefinition(folder.memory)
      if (saved.error !== null) return saved.error
      // The port, and so the network, may be another one by now.
      const lasting = await domains.lastingDefinition(environmentId)
      const resumed = withDevicesOf(withGenerationIdOf(lasting, saved.output), saved.output)
      await runner.writeFile(definition, resumed, 0o600)
      return await domains.restore(folder.memory, definition, millisecondsFor(mebibytes))
    } finally {
      await runner.remove(definition)
    }
  }

  private async keep(folder: MachineFolder, hostBootId: string): Promise<void> {
    const script = 'chmod 0600 -- "$1" && sync -- "$1"'
    const result = await this.options.runner.run(['sh', '-c', script, 'sh', folder.memory], {
      timeoutMilliseconds: 300_000,
    })
    if (result.exitCode !== 0) {
      throw new HostError('host_refused', `the memory of the machine is not kept: ${result.stderr.trim()}`)
    }
    await folder.noteSuspension({ state: 'kept', hostBootId } satisfies GivenSuspension)
  }
}

/** The host has no room for the machine now: its memory is as good as it was. */
function lacksMemory(error: string): boolean {
  return /cannot (set up guest memory|allocate memory)/i.test(error)
}

function millisecondsFor(mebibytes: number): number {
  return 180_000 + (mebibytes / leastMebibytesPerSecond) * 1_000
}
