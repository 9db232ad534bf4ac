import { isId } from '@hearth/foundation'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import type { Host, HostFacts, InventoryEntry, Machine, MachineSpecification, Ownership } from '../host.ts'
import { HostError } from '../host-error.ts'
import { digestRandomSeed, newRandomSeed } from '../random-seed.ts'
import { type Capacity, measureCapacity } from './capacity.ts'
import { createDisk } from './disk.ts'
import { parsePower } from './domain-state.ts'
import { buildDomainXml, buildOwnershipXml, parseOwnershipXml } from './domain-xml.ts'
import { ImageFolder, type LocatedImage } from './image-folder.ts'
import { MachineFolder } from './machine-folder.ts'
import { type MachineFile, metadataNamespace } from './metadata.ts'
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
  private capacity: Promise<Capacity> | null = null

  constructor(private readonly options: LibvirtHostOptions) {
    this.virsh = new Virsh(options.runner, options.uri)
    this.images = new ImageFolder(options.runner, options.imagesFolder)
    this.ports = new Ports(options.runner)
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
    const [listed, folders] = await Promise.all([
      this.virsh.run('list', '--all', '--name'),
      this.options.runner.list(this.options.machinesFolder),
    ])
    const defined = listed
      .split('\n')
      .filter((name) => name.startsWith(domainPrefix))
      .map((name) => name.slice(domainPrefix.length))
    const ids = [...new Set([...defined, ...folders])].filter(isId)
    return Promise.all(
      (await this.lookAtDomains(ids)).map(async ({ environmentId, power, ownership }) => {
        const file = await this.folder(environmentId).readMachine()
        if (file !== null) this.ports.reserve(environmentId, file.address.port)
        return { environmentId, power, ownership: power === 'absent' ? (file?.ownership ?? null) : ownership }
      }),
    )
  }

  async look(environmentId: string): Promise<Machine> {
    const folder = this.folder(environmentId)
    const [[domain], file, record] = await Promise.all([
      this.lookAtDomains([environmentId]),
      folder.readMachine(),
      folder.readRecord(),
    ])
    const power = domain?.power ?? 'absent'
    if (file !== null) this.ports.reserve(environmentId, file.address.port)
    return {
      environmentId,
      power,
      ownership: power === 'absent' ? (file?.ownership ?? null) : (domain?.ownership ?? null),
      address: file?.address ?? null,
      identity: file?.identity ?? null,
      record,
    }
  }

  async create(specification: MachineSpecification): Promise<void> {
    const { environmentId } = specification
    const existing = await this.ownOrAbsent(environmentId)
    if (existing.power !== 'absent') return
    const folder = this.folder(environmentId)
    const image = await this.images.find(specification.image)
    // Made anew as long as the machine has not been defined: nothing has booted with what a cut left here.
    const { machine, seed } = await this.makeIdentity(specification, image, folder)
    await Promise.all([
      writeSeedDisk(this.options.runner, folder.path, image.format, seed),
      createDisk(this.options.runner, image, folder.disk, specification.diskGibibytes),
    ])
    await this.define(specification, image, folder, machine)
  }

  async start(environmentId: string): Promise<void> {
    const machine = await this.ownOrAbsent(environmentId)
    if (machine.power === 'running') return
    for (let attempt = 0; ; attempt += 1) {
      const { error } = await this.virsh.try('start', domainName(environmentId))
      if (error === null || /already active/.test(error)) return
      // Someone else took the port since it was chosen.
      if (!/host forwarding rule|Address already in use/i.test(error) || attempt >= 3) {
        throw new HostError('host_refused', `the machine does not start: ${error}`)
      }
      await this.moveToAnotherPort(environmentId)
    }
  }

  async shutDown(environmentId: string): Promise<void> {
    const machine = await this.ownOrAbsent(environmentId)
    if (machine.power !== 'running') return
    const { error } = await this.virsh.try('shutdown', domainName(environmentId), '--mode', 'acpi')
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  async powerOff(environmentId: string): Promise<void> {
    const machine = await this.ownOrAbsent(environmentId)
    if (machine.power !== 'running') return
    const { error } = await this.virsh.try('destroy', domainName(environmentId))
    if (error !== null && !/not running/.test(error)) throw new HostError('host_refused', error)
  }

  async remove(environmentId: string): Promise<void> {
    const machine = await this.ownOrAbsent(environmentId)
    if (machine.power === 'running') await this.powerOff(environmentId)
    if (machine.power !== 'absent') {
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
    // libvirt keeps a log for every name it ever ran; ours are never used again.
    await this.options.runner.run(['rm', '-f', '--', `${systemLogs}/${domainName(environmentId)}.log`])
    await this.folder(environmentId).remove()
    this.ports.release(environmentId)
  }

  async stamp(environmentId: string, numbers: { epoch: number; generation: number }): Promise<void> {
    const machine = await this.ownOrAbsent(environmentId)
    const file = await this.folder(environmentId).readMachine()
    if (machine.ownership === null) return
    const ownership: Ownership = { ...machine.ownership, ...numbers }
    if (machine.power !== 'absent') {
      const flags = machine.power === 'running' ? ['--live', '--config'] : ['--config']
      await this.setOwnership(environmentId, ownership, flags)
    }
    if (file !== null) await this.folder(environmentId).writeMachine({ ...file, ownership })
  }

  async keepRecord(environmentId: string, text: string): Promise<void> {
    await this.folder(environmentId).writeRecord(text)
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
    if (!isId(environmentId)) throw new Error(`not an environment's id: ${environmentId}`)
    return new MachineFolder(this.options.runner, this.options.machinesFolder, environmentId)
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

  private async ownOrAbsent(environmentId: string): Promise<InventoryEntry> {
    const machine = await this.look(environmentId)
    const nothing = machine.power === 'absent' && machine.ownership === null
    if (!nothing && machine.ownership?.owner !== this.options.owner) {
      throw new HostError('host_refused', `${domainName(environmentId)} is not this runner's machine`)
    }
    return machine
  }

  private async makeIdentity(
    specification: MachineSpecification,
    image: LocatedImage,
    folder: MachineFolder,
  ): Promise<{ machine: MachineFile; seed: Seed }> {
    const { environmentId, owner, epoch, generation, hostname } = specification
    const randomSeed = newRandomSeed()
    const hostKey = generateSecureShellKeyPair(hostname)
    const machine: MachineFile = {
      ownership: {
        owner,
        environmentId,
        epoch,
        generation,
        createdAt: this.options.clock.now().toISOString(),
      },
      address: {
        host: this.options.guestAddress,
        port: await this.ports.choose(environmentId),
        user: image.sshUser,
        hostKey: hostKey.publicKey,
      },
      identity: {
        // Also the firmware's UUID, from which systemd derives it on a first boot under KVM.
        machineId: environmentId.replaceAll('-', ''),
        hostname,
        randomSeedDigest: digestRandomSeed(randomSeed),
      },
    }
    // First of all files: from here on the folder says whose it is.
    await folder.writeMachine(machine)
    const { userCertificateAuthority, principal } = specification
    const { agentKey } = this.options
    const { identity } = machine
    const user = image.sshUser
    return {
      machine,
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
    machine: MachineFile,
  ): Promise<void> {
    const { environmentId } = specification
    const xml = buildDomainXml({
      name: domainName(environmentId),
      uuid: environmentId,
      virtualization: this.options.virtualization,
      memoryMebibytes: specification.memoryMebibytes,
      virtualCpus: specification.virtualCpus,
      ownership: machine.ownership,
      diskPath: folder.disk,
      seedPath: seedDiskPath(folder.path, image.format),
      consolePath: folder.console,
      kernel:
        image.kernelPath === null
          ? null
          : { path: image.kernelPath, initrdPath: image.initrdPath, commandLine: image.commandLine ?? '' },
      forward: machine.address,
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
    if (file === null || definition === null) {
      throw new HostError('host_refused', 'the port is taken and the machine has no definition to change')
    }
    const port = await this.ports.choose(environmentId)
    const forward = (number: number) => `hostfwd=tcp:${file.address.host}:${number}-:22`
    const xml = definition.toString('utf8').replace(forward(file.address.port), forward(port))
    await folder.writeMachine({ ...file, address: { ...file.address, port } })
    await this.options.runner.writeFile(folder.definition, xml, 0o600)
    await this.virsh.run('define', folder.definition)
    await this.setOwnership(environmentId, file.ownership, ['--config'])
  }

  private async setOwnership(environmentId: string, ownership: Ownership, flags: string[]): Promise<void> {
    const set = ['--uri', metadataNamespace, '--key', 'hearth', '--set', buildOwnershipXml(ownership)]
    await this.virsh.run('metadata', domainName(environmentId), ...flags, ...set)
  }
}
