import { posix } from 'node:path'
import type { CommandRunner } from '../command/command-runner.ts'
import type { OwnedFolders } from '../command/owned-folders.ts'
import { HostError } from '../host-error.ts'
import { type GivenSuspension, type MachineFile, machineFileSchema } from './metadata.ts'
import { type Seed, seedSchema } from './seed.ts'

const machineFile = 'machine.json'

/** The folder that holds every file of one machine and is removed with it. */
export class MachineFolder {
  readonly path: string

  constructor(
    private readonly runner: CommandRunner,
    private readonly folders: OwnedFolders,
    private readonly environmentId: string,
  ) {
    this.path = folders.path(environmentId)
  }

  get disk(): string {
    return posix.join(this.path, 'disk.qcow2')
  }

  get console(): string {
    return posix.join(this.path, 'console.log')
  }

  /** The memory of a suspended machine. */
  get memory(): string {
    return posix.join(this.path, 'suspended.memory')
  }

  get definition(): string {
    return posix.join(this.path, 'domain.xml')
  }

  /** Null where there is no folder, or where the folder does not name its owner. */
  async readMachine(): Promise<MachineFile | null> {
    const text = await this.runner.readFile(posix.join(this.path, machineFile))
    if (text === null) return null
    try {
      return machineFileSchema.parse(JSON.parse(text.toString('utf8')))
    } catch {
      return null
    }
  }

  /** Creates the folder; from then on it names its owner. */
  open(machine: MachineFile): Promise<void> {
    return this.folders.open(this.environmentId, machineFile, textOf(machine))
  }

  writeMachine(machine: MachineFile): Promise<void> {
    return this.runner.writeFile(posix.join(this.path, machineFile), textOf(machine), 0o600)
  }

  /** Says in the folder whether the memory beside the disk may be used; null where it must not. */
  async noteSuspension(suspension: GivenSuspension | null): Promise<void> {
    const file = await this.readMachine()
    if (file?.given == null) throw new HostError('host_refused', 'the machine has no folder')
    const { suspension: _before, ...given } = file.given
    await this.writeMachine({ ...file, given: suspension === null ? given : { ...given, suspension } })
  }

  async giveUpMemory(): Promise<void> {
    await this.noteSuspension(null)
    await this.runner.remove(this.memory)
  }

  /** Null in machines that earlier agents made. */
  async readSeed(): Promise<Seed | null> {
    const text = await this.runner.readFile(posix.join(this.path, 'seed.json'))
    return text === null ? null : seedSchema.parse(JSON.parse(text.toString('utf8')))
  }

  /** The seed holds the guest's private host key, as its disk does. */
  writeSeed(seed: Seed): Promise<void> {
    return this.runner.writeFile(posix.join(this.path, 'seed.json'), JSON.stringify(seed), 0o600)
  }

  async readRecord(): Promise<string | null> {
    return (await this.runner.readFile(posix.join(this.path, 'record.json')))?.toString('utf8') ?? null
  }

  writeRecord(text: string): Promise<void> {
    return this.runner.writeFile(posix.join(this.path, 'record.json'), text, 0o600)
  }
}

function textOf(machine: MachineFile): string {
  return `${JSON.stringify(machine, null, 2)}\n`
}
