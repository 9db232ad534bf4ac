import { isId } from '@hearth/foundation'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import { type Authority, assertMayTouch, ownershipOf } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { OwnedFolders } from '../command/owned-folders.ts'
import type { Host, HostFacts, InventoryEntry, Machine, MachineSpecification, Ownership } from '../host.ts'
import { HostError } from '../host-error.ts'
import { leftoverEntry } from '../leftover.ts'
import { digestRandomSeed, newRandomSeed } from '../random-seed.ts'
import { type Capacity, measureCapacity } from './capacity.ts'
import { createDisk } from './disk.ts'
import { parsePower } from './domain-state.ts'
import { buildDomainXml, buildOwnershipXml, parseOwnershipXml } from './domain-xml.ts'
import { ImageFolder, type LocatedImage } from './image-folder.ts'
import { MachineFolder } from './machine-folder.ts'
import { type Given, metadataNamespace } from './metadata.ts'
import { Ports } from './ports.ts'
import type { Seed } from './seed.ts'
import { seedDiskPath, writeSeedDisk } from './seed-disk.ts'
import { Virsh } from './virsh.ts'
import { watchPower } from './watch.ts'

export interface LibvirtHostOptions {
  runner: CommandRunner
  uri: string
  virtualization: 'kvm' | 'qemu'
  imagesFolder: string
  /** Folder that holds a folder for each machine. */
  machinesFolder: string
  /** The runner's id: what makes a machine this agent's own. */
  owner: string
  /** The host's address on which guests are reached. */
  guestAddress: string
  /** OpenSSH public key that the agent logs in to guests with. */
  agentKey: string
  capacity: { [Name in keyof Capacity]?: number | undefined }
  clock: { now(): Date }
}

/** Where the system's libvirt logs; a user's own keeps its logs in the user's cache. */
const systemLogs = '/var/log/libvirt/qemu'
const domainPrefix = 'hearth-'
const domainName = (environmentId: string) => `${domainPrefix}${environmentId}`

/** Machines as libvirt domains with QEMU. */
export class LibvirtHost implements Host {
  private readonly virsh: Virsh
  private readonly images: ImageFolder
  private readonly ports: Ports
  private readonly folders: OwnedFolders
  private capacity: Promise<Capacity> | null = null

  constructor(private readonly options: LibvirtHostOptions) {
    this.virsh = new Virsh(options.runner, options.uri)
    this.images = new ImageFolder(options.runner, options.imagesFolder)
    this.ports = new Ports(options.runner)
    this.folders = new OwnedFolders(options.runner, options.machinesFolder, options.owner)
  }

  async facts(): Promise<HostFacts> {
    this.capacity ??= measureCapacity(this.options.runner, this.options.machinesFolder, this.options.capacity)
    return {
      virtualization: this.options.virtualization,
      ...(await this.capacity),
      images: await this.images.names(),
    }
  }

  async inventory(): Promise<InventoryEntry[]> {
    const [listed, { folders, leftovers }] = await Promise.all([
      this.virsh.run('list', '--all', '--name'),
      this.folders.list(),
    ])
    const defined = listed
      .split('\n')
      .filter((name) => name.startsWith(domainPrefix))
      .map((name) => name.slice(domainPrefix.length))
      .filter(isId)
    const ids = new Set([...defined, ...folders])
    const machines = await Promise.all(
      (await this.lookAtDomains([...ids])).map(async ({ environmentId, power, ownership }) => {
        const file = await this.folder(environmentId).readMachine()
        this.reserve(environmentId, file?.given ?? null)
        return { environmentId, power, ownership: power === 'absent' ? (file?.ownership ?? null) : ownership }
      }),
    )
    const left = leftovers.filter((id) => !ids.has(id))
    return [...machines, ...left.map((id) => leftoverEntry(this.options.owner, id))]
  }

  async look(environmentId: string): Promise<Machine> {
    const folder = this.folder(environmentId)
    const [[domain], file, record] = await Promise.all([
      this.lookAtDomains([environmentId]),
      folder.readMachine(),
      folder.readRecord(),
    ])
    const power = domain?.power ?? 'absent'
    this.reserve(environmentId, file?.given ?? null)
    return {
      environmentId,
      power,
      ownership: power === 'absent' ? (file?.ownership ?? null) : (domain?.ownership ?? null),
      address: file?.given?.address ?? null,
      identity: file?.given?.identity ?? null,
      // A record in a folder that does not say whose it is says nothing either.
      record: file === null ? null : record,
    }
  }

  async create(specification: MachineSpecification, authority: Authority): Promise<void> {
    const { environmentId } = specification
    const existing = await this.lookToTouch(environmentId, authority)
    const folder = this.folder(environmentId)
    if (existing.power !== 'absent') {
      if (existing.address !== null) return
      throw new HostError('host_refused', `${domainName(environmentId)} is there without its folder`)
    }
    const image = await this.images.find(specification.image)
    // Made anew as long as the machine has not been defined: nothing has booted with what a cut left here.
    const { given, seed } = await this.chooseIdentity(specification, image)
    const { owner, clock, runner } = this.options
    const ownership = ownershipOf(owner, environmentId, authority, clock.now())
    await authority.assertHeld()
    // Before anything is made: from here on the folder says whose it is.
    if (existing.ownership === null) await folder.open({ ownership, given })
    else await folder.writeMachine({ ownership, given })
    await authority.assertHeld()
    await Promise.all([
      writeSeedDisk(runner, folder.path, image.format, seed),
      createDisk(runner, image, folder.disk, specification.diskGibibytes),
    ])
    await authority.assertHeld()
    await this.define(specification, image, folder, ownership, given)
  }

  async start(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.lookToTouch(environmentId, authority)
    if (machine.power === 'running') return
    for (let attempt = 0; ; attempt += 1) {
      await authority.assertHeld()
      const { error } = await this.virsh.try('start', domainName(environmentId))
      if (error === null || /already active/.test(error)) return
      // Someone else took the port since it was chosen.
      if (!/host forwarding rule|Address already in use/i.test(error) || attempt >= 3) {
        throw new HostError('host_refused', `the machine does not start: ${error}`)
      }
      await this.moveToAnotherPort(environmentId)
    }
  }

  async shutDown(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.lookToTouch(environmentId, authority)
    if (machine.power !== 'running') return
    await authority.assertHeld()
    const { error } = await this.virsh.try('shutdown', domainName(environmentId), '--mode', 'acpi')
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  async powerOff(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.lookToTouch(environmentId, authority)
    if (machine.power === 'running') await this.destroy(environmentId, authority)
  }

  async remove(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.lookToTouch(environmentId, authority)
    if (machine.power === 'running') await this.destroy(environmentId, authority)
    if (machine.power !== 'absent') await this.undefine(environmentId, authority)
    await authority.assertHeld()
    // A folder that neither itself nor a domain proves to be ours is left alone.
    if (machine.ownership === null) return this.folders.clear(environmentId)
    // libvirt keeps a log for every name it ever ran; ours are never used again.
    await this.options.runner.run(['rm', '-f', '--', `${systemLogs}/${domainName(environmentId)}.log`])
    await this.folders.remove(environmentId)
    this.ports.release(environmentId)
  }

  async stamp(environmentId: string, authority: Authority): Promise<void> {
    const machine = await this.lookToTouch(environmentId, authority)
    if (machine.ownership === null) return
    const { epoch, generation } = authority
    const ownership: Ownership = { ...machine.ownership, epoch, generation }
    if (machine.power !== 'absent') {
      const flags = machine.power === 'running' ? ['--live', '--config'] : ['--config']
      await authority.assertHeld()
      await this.setOwnership(environmentId, ownership, flags)
    }
    const file = await this.folder(environmentId).readMachine()
    await authority.assertHeld()
    if (file !== null) await this.folder(environmentId).writeMachine({ ...file, ownership })
  }

  async keepRecord(environmentId: string, text: string, authority: Authority): Promise<void> {
    const folder = this.folder(environmentId)
    // The folder alone is asked: a record is kept often, and asking libvirt costs.
    const file = await folder.readMachine()
    const { owner, clock } = this.options
    if (file !== null) {
      assertMayTouch({ environmentId, power: 'absent', ownership: file.ownership }, owner, authority)
    }
    await authority.assertHeld()
    if (file === null) {
      await folder.open({ ownership: ownershipOf(owner, environmentId, authority, clock.now()), given: null })
    }
    await folder.writeRecord(text)
  }

  async readConsole(environmentId: string): Promise<string> {
    const { runner } = this.options
    const result = await runner.run(['tail', '-c', '8192', '--', this.folder(environmentId).console])
    return result.stdout
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    return watchPower(
      async () => {
        const text = await this.virsh.run(
          'list',
          '--name',
          '--state-running',
          '--state-paused',
          '--state-other',
        )
        return text
          .split('\n')
          .flatMap((name) => (name.startsWith(domainPrefix) ? [name.slice(domainPrefix.length)] : []))
      },
      changed,
      signal,
    )
  }

  async close(): Promise<void> {
    await this.options.runner.close()
  }

  private folder(environmentId: string): MachineFolder {
    return new MachineFolder(this.options.runner, this.folders, environmentId)
  }

  private reserve(environmentId: string, given: Given | null): void {
    if (given !== null) this.ports.reserve(environmentId, given.address.port)
  }

  private async lookAtDomains(ids: readonly string[]): Promise<InventoryEntry[]> {
    const commands = ids.flatMap((id) => [
      `domstate --reason ${domainName(id)}`,
      `metadata ${domainName(id)} ${metadataNamespace}`,
    ])
    const answers = await this.virsh.batch(commands)
    return ids.map((environmentId, index) => ({
      environmentId,
      power: parsePower(answers[2 * index] ?? ''),
      ownership: parseOwnershipXml(answers[2 * index + 1] ?? ''),
    }))
  }

  private async lookToTouch(environmentId: string, authority: Authority): Promise<Machine> {
    const machine = await this.look(environmentId)
    assertMayTouch(machine, this.options.owner, authority)
    return machine
  }

  private async destroy(environmentId: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    const { error } = await this.virsh.try('destroy', domainName(environmentId))
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  private async undefine(environmentId: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    const { error } = await this.virsh.try(
      'undefine',
      domainName(environmentId),
      '--managed-save',
      '--nvram',
      '--snapshots-metadata',
      '--checkpoints-metadata',
    )
    if (error !== null && !/failed to get domain/.test(error)) throw new HostError('host_refused', error)
  }

  private async chooseIdentity(
    specification: MachineSpecification,
    image: LocatedImage,
  ): Promise<{ given: Given; seed: Seed }> {
    const { environmentId, hostname, userCertificateAuthority, principal } = specification
    const { guestAddress, agentKey } = this.options
    const randomSeed = newRandomSeed()
    const hostKey = generateSecureShellKeyPair(hostname)
    const user = image.sshUser
    const port = await this.ports.choose(environmentId)
    const identity = {
      // Also the firmware's UUID, from which systemd derives it on a first boot under KVM.
      machineId: environmentId.replaceAll('-', ''),
      hostname,
      randomSeedDigest: digestRandomSeed(randomSeed),
    }
    return {
      given: { address: { host: guestAddress, port, user, hostKey: hostKey.publicKey }, identity },
      seed: {
        environmentId,
        identity,
        hostKey,
        userCertificateAuthority,
        principal,
        agentKey,
        user,
        randomSeed,
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
    const { environmentId } = specification
    const xml = buildDomainXml({
      name: domainName(environmentId),
      uuid: environmentId,
      virtualization: this.options.virtualization,
      memoryMebibytes: specification.memoryMebibytes,
      virtualCpus: specification.virtualCpus,
      ownership,
      diskPath: folder.disk,
      seedPath: seedDiskPath(folder.path, image.format),
      consolePath: folder.console,
      kernel:
        image.kernelPath === null
          ? null
          : { path: image.kernelPath, initrdPath: image.initrdPath, commandLine: image.commandLine ?? '' },
      forward: given.address,
    })
    await this.options.runner.writeFile(folder.definition, xml, 0o600)
    await this.virsh.run('define', folder.definition)
  }

  private async moveToAnotherPort(environmentId: string): Promise<void> {
    const folder = this.folder(environmentId)
    const [file, definition] = await Promise.all([
      folder.readMachine(),
      this.options.runner.readFile(folder.definition),
    ])
    if (file?.given == null || definition === null) {
      throw new HostError('host_refused', 'the port is taken and the machine has no definition to change')
    }
    const port = await this.ports.choose(environmentId)
    const { address } = file.given
    const forward = (number: number) => `hostfwd=tcp:${address.host}:${number}-:22`
    const xml = definition.toString('utf8').replace(forward(address.port), forward(port))
    await folder.writeMachine({ ...file, given: { ...file.given, address: { ...address, port } } })
    await this.options.runner.writeFile(folder.definition, xml, 0o600)
    await this.virsh.run('define', folder.definition)
    await this.setOwnership(environmentId, file.ownership, ['--config'])
  }

  private async setOwnership(environmentId: string, ownership: Ownership, flags: string[]): Promise<void> {
    const set = ['--uri', metadataNamespace, '--key', 'hearth', '--set', buildOwnershipXml(ownership)]
    await this.virsh.run('metadata', domainName(environmentId), ...flags, ...set)
  }
}
