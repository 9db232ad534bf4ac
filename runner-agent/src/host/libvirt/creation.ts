import { randomUUID } from 'node:crypto'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import { type Authority, ownershipOf } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import type { MachineSpecification, Ownership } from '../machine.ts'
import { digestRandomSeed, newRandomSeed } from '../random-seed.ts'
import { createDisk } from './disk.ts'
import { buildDomainXml } from './domain-xml.ts'
import { type Domains, domainName } from './domains.ts'
import type { ImageFolder, LocatedImage } from './image-folder.ts'
import { overLayer } from './layers/layer-base.ts'
import type { LayerPlace } from './layers/layer-place.ts'
import { hasControlGroups } from './limits.ts'
import type { MachineFolder } from './machine-folder.ts'
import type { MachineSight } from './machine-sight.ts'
import type { Given } from './metadata.ts'
import type { GuestNetworks } from './network/guest-networks.ts'
import type { Seed } from './seed.ts'
import { seedDiskPath, writeSeedDisk } from './seed-disk.ts'

export interface CreationOptions {
  runner: CommandRunner
  domains: Domains
  sight: MachineSight
  images: ImageFolder
  networks: GuestNetworks
  place: LayerPlace
  uri: string
  virtualization: 'kvm' | 'qemu'
  owner: string
  agentKey: string
  clock: { now(): Date }
}

const bytesPerGibibyte = 1024 ** 3

/** Creates machines: identity, seed, disk and definition. */
export class Creation {
  constructor(private readonly options: CreationOptions) {}

  async create(specification: MachineSpecification, authority: Authority): Promise<void> {
    const { sight, images, owner, clock, runner } = this.options
    const { environmentId } = specification
    const existing = await sight.lookToTouch(environmentId, authority)
    const folder = sight.folder(environmentId)
    if (existing.power !== 'absent') {
      if (existing.identity !== null) return
      throw new HostError('host_refused', `${domainName(environmentId)} is there without its folder`)
    }
    const image = await images.find(specification.image)
    // Created again as long as the machine is not defined: nothing has booted with what an interrupted creation left.
    const { given, seed } = await this.chooseIdentity(specification, image)
    const ownership = ownershipOf(owner, environmentId, authority, clock.now())
    await this.overBase(specification, image, async (base, bytes, source) => {
      const file = { ownership, given: { ...given, ...source } }
      await authority.assertHeld()
      // Comes first: from here on the folder names its owner.
      if (existing.ownership === null) await folder.open(file)
      else await folder.writeMachine(file)
      await authority.assertHeld()
      await Promise.all([
        folder.writeSeed(seed),
        writeSeedDisk(runner, folder.path, image.format, seed),
        createDisk(runner, { path: base, isInUse: false }, folder.disk, bytes),
      ])
      await authority.assertHeld()
      await this.define(specification, image, folder, ownership, given)
    })
  }

  /** Does the work with what the machine's disk is to stand on, and what is then known of it. */
  private async overBase(
    { source, diskGibibytes }: MachineSpecification,
    image: LocatedImage,
    work: (base: string, bytes: number, source: Pick<Given, 'source'>) => Promise<void>,
  ): Promise<void> {
    const bytes = diskGibibytes * bytesPerGibibyte
    if (source === null) return work(image.diskPath, Math.max(image.virtualSizeBytes, bytes), {})
    const { layerId } = source
    await overLayer(this.options.place, layerId, image, bytes, ({ path, virtualBytes }) =>
      work(path, virtualBytes, { source: { layerId, virtualBytes, state: 'fresh' } }),
    )
  }

  private async chooseIdentity(
    specification: MachineSpecification,
    image: LocatedImage,
  ): Promise<{ given: Given; seed: Seed }> {
    const { environmentId, hostname, userCertificateAuthority, principal, limits } = specification
    const { agentKey, networks } = this.options
    const randomSeed = newRandomSeed()
    const hostKey = generateSecureShellKeyPair(hostname)
    const user = image.sshUser
    const identity = {
      // Also the UUID of the firmware, from which systemd derives the machine id on a first boot under KVM.
      machineId: environmentId.replaceAll('-', ''),
      hostname,
      randomSeedDigest: digestRandomSeed(randomSeed),
    }
    const connected = await networks.choose(environmentId, { user, hostKey: hostKey.publicKey }, limits)
    return {
      given: { ...connected, identity },
      seed: {
        environmentId,
        identity,
        hostKey,
        userCertificateAuthority,
        principal,
        agentKey,
        user,
        randomSeed,
        network: connected.address === null ? 'dhcp' : 'static',
      },
    }
  }

  private async define(
    specification: MachineSpecification,
    image: LocatedImage,
    folder: MachineFolder,
    ownership: Ownership,
    given: Given,
  ): Promise<void> {
    const { domains, runner, virtualization, networks } = this.options
    const { environmentId } = specification
    const xml = buildDomainXml({
      name: domainName(environmentId),
      uuid: environmentId,
      generationId: randomUUID(),
      virtualization,
      memoryMebibytes: specification.memoryMebibytes,
      virtualCpus: specification.virtualCpus,
      limits: specification.limits,
      hasControlGroups: await hasControlGroups(runner, this.options.uri),
      ownership,
      diskPath: folder.disk,
      seedPath: seedDiskPath(folder.path, image.format),
      consolePath: folder.console,
      kernel:
        image.kernelPath === null
          ? null
          : { path: image.kernelPath, initrdPath: image.initrdPath, commandLine: image.commandLine ?? '' },
      network: networks.describe(environmentId, given),
    })
    await runner.writeFile(folder.definition, xml, 0o600)
    await domains.define(folder.definition)
  }
}
