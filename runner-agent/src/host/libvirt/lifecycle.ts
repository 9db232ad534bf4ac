import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import type { OwnedFolders } from '../command/owned-folders.ts'
import { HostError } from '../host-error.ts'
import type { Machine } from '../machine.ts'
import type { KeptVolume, VolumeFolders } from '../volumes/volume-folders.ts'
import { withDisk } from './definition.ts'
import { type Domains, domainName } from './domains.ts'
import type { MachineDisk } from './machine-disk.ts'
import type { MachineSight } from './machine-sight.ts'
import type { MachineSources } from './machine-sources.ts'
import { memorySocketFolder } from './memory-socket.ts'
import type { Given } from './metadata.ts'
import { replaceNetdev } from './network/domain-network.ts'
import type { GuestNetworks } from './network/guest-networks.ts'
import { PortTaken } from './network/passt.ts'
import { withVolumes } from './volumes/volume-devices.ts'

export interface LifecycleOptions {
  runner: CommandRunner
  domains: Domains
  sight: MachineSight
  folders: OwnedFolders
  networks: GuestNetworks
  disks: MachineDisk
  sources: MachineSources
  socketsFolder: string
  volumes: Pick<VolumeFolders, 'keptFor'>
}

/** Log folder of the system's libvirt; a user's own libvirt logs to the user's cache folder. */
const systemLogs = '/var/log/libvirt/qemu'

/** Starts, ends and removes existing machines. */
export class Lifecycle {
  constructor(private readonly options: LifecycleOptions) {}

  async start(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.sight.lookToTouch(environmentId, authority)
    if (machine.power === 'paused') return
    if (machine.power === 'running') {
      if (machine.fault === null) return this.giveUpMemory(environmentId)
      await this.destroy(environmentId, authority)
    }
    if (machine.power === 'suspended') await this.powerOff(environmentId, authority)
    // What the guest writes from now on does not go with it.
    await this.giveUpMemory(environmentId)
    // A machine whose kernel panicked is kept until it is to be started again.
    if (machine.endReason === 'kernel_panicked') await this.destroy(environmentId, authority)
    const { sources, domains, volumes } = this.options
    const kept = await volumes.keptFor(environmentId)
    const error = await sources.whileStarting(environmentId, authority, () =>
      this.launch(environmentId, authority, () => domains.start(environmentId), kept),
    )
    if (error !== null) throw new HostError('host_refused', `the machine does not start: ${error}`)
  }

  /** Starts the machine with its network and these volumes. Resolves with the reason when the host refuses. */
  async launch(
    environmentId: string,
    authority: Authority,
    startDomain: (given: Given) => Promise<string | null>,
    volumes: readonly KeptVolume[] = [],
  ): Promise<string | null> {
    for (let attempt = 0; ; attempt += 1) {
      await authority.assertHeld()
      const error = await this.tryStart(environmentId, startDomain, volumes)
      if (error === null) return null
      // Someone else took the port since it was chosen.
      const isTaken = error instanceof PortTaken || /host forwarding rule|Address already in use/i.test(error)
      if (!isTaken || attempt >= 3) return String(error)
      await this.moveToAnotherPort(environmentId)
    }
  }

  async shutDown(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.sight.lookToTouch(environmentId, authority)
    if (machine.power === 'paused') await this.resume(environmentId, authority)
    else if (machine.power !== 'running') return
    await authority.assertHeld()
    await this.options.domains.shutDown(environmentId)
  }

  async resume(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.sight.lookToTouch(environmentId, authority)
    if (machine.power !== 'paused') return
    await authority.assertHeld()
    await this.options.domains.resume(environmentId)
  }

  async powerOff(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.options.sight.lookToTouch(environmentId, authority)
    if (isActive(machine)) await this.destroy(environmentId, authority)
    await this.giveUpMemory(environmentId)
  }

  async remove(environmentId: string, authority: Authority): Promise<void> {
    const { runner, domains, folders, sight, networks } = this.options
    const machine = await sight.lookToTouch(environmentId, authority)
    if (isActive(machine)) await this.destroy(environmentId, authority)
    if (machine.power !== 'absent') {
      await authority.assertHeld()
      await domains.undefine(environmentId)
    }
    await authority.assertHeld()
    // A folder is left alone unless its own file or a domain proves that it is ours.
    if (machine.ownership === null) return folders.clear(environmentId)
    // libvirt keeps a log for every domain name; our names are never used again.
    const log = `${systemLogs}/${domainName(environmentId)}.log`
    await runner.run(['rm', '-rf', '--', log, memorySocketFolder(this.options.socketsFolder, environmentId)])
    const given = (await sight.folder(environmentId).readMachine())?.given ?? null
    await folders.remove(environmentId)
    await networks.forget(environmentId, given)
  }

  private async destroy(environmentId: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    await this.options.domains.destroy(environmentId)
    await this.options.networks.release(environmentId)
  }

  /** Gives up a memory that does not go with the disk any more. */
  private async giveUpMemory(environmentId: string): Promise<void> {
    const folder = this.options.sight.folder(environmentId)
    if ((await folder.readMachine())?.given?.suspension !== undefined) await folder.giveUpMemory()
  }

  /** Resolves with the reason when the host refuses. */
  private async tryStart(
    environmentId: string,
    startDomain: (given: Given) => Promise<string | null>,
    volumes: readonly KeptVolume[],
  ): Promise<PortTaken | string | null> {
    const { networks } = this.options
    const given = await this.redefine(environmentId, volumes)
    try {
      await networks.prepare(environmentId, given)
    } catch (thrown) {
      if (thrown instanceof PortTaken) return thrown
      throw thrown
    }
    const error = await startDomain(given)
    if (error === null) await networks.settle(environmentId, given)
    else await networks.release(environmentId)
    return error
  }

  /** Applies the current network settings to the machine, and gives it these volumes and no others. */
  private async redefine(environmentId: string, volumes: readonly KeptVolume[]): Promise<Given> {
    const { runner, domains, sight, networks, disks } = this.options
    const folder = sight.folder(environmentId)
    const [file, definition] = await Promise.all([folder.readMachine(), runner.readFile(folder.definition)])
    if (file?.given == null || definition === null) {
      throw new HostError('host_refused', 'the machine has no folder with a definition')
    }
    const before = definition.toString('utf8')
    const connected = replaceNetdev(before, networks.describe(environmentId, file.given)) ?? before
    const replaced = withVolumes(connected, volumes)
    if (replaced === before) return file.given
    // A freezing that was cut may have given the machine another disk than its folder's definition names.
    const { lasting } = await disks.definitions(environmentId)
    const after = withDisk(replaced, lasting.diskPath)
    const given = { ...file.given, network: networks.networkOf(file.given) }
    await folder.writeMachine({ ...file, given })
    await runner.writeFile(folder.definition, after, 0o600)
    await domains.define(folder.definition)
    await domains.setOwnership(environmentId, file.ownership, ['--config'])
    return given
  }

  private async moveToAnotherPort(environmentId: string): Promise<void> {
    const { sight, networks } = this.options
    const folder = sight.folder(environmentId)
    const file = await folder.readMachine()
    if (file?.given == null)
      throw new HostError('host_refused', 'the port is taken and the machine has no folder')
    await folder.writeMachine({ ...file, given: await networks.moved(environmentId, file.given) })
  }
}

/** Whether a QEMU process may be running for the machine. */
function isActive({ power, endReason }: Machine): boolean {
  // The memory of a suspended machine may be half loaded.
  const isOn = power === 'running' || power === 'paused' || power === 'suspended'
  return isOn || endReason === 'kernel_panicked'
}
