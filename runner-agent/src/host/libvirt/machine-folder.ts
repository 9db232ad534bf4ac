import { posix } from 'node:path'
import type { CommandRunner } from '../command/command-runner.ts'
import { type MachineFile, machineFileSchema } from './metadata.ts'

/** The folder that holds every file of one machine, and goes with it. */
export class MachineFolder {
  readonly path: string

  constructor(
    private readonly runner: CommandRunner,
    root: string,
    environmentId: string,
  ) {
    this.path = posix.join(root, environmentId)
  }

  get disk(): string {
    return posix.join(this.path, 'disk.qcow2')
  }

  get console(): string {
    return posix.join(this.path, 'console.log')
  }

  get definition(): string {
    return posix.join(this.path, 'domain.xml')
  }

  async readMachine(): Promise<MachineFile | null> {
    const text = await this.runner.readFile(posix.join(this.path, 'machine.json'))
    if (text === null) return null
    try {
      return machineFileSchema.parse(JSON.parse(text.toString('utf8')))
    } catch {
      return null
    }
  }

  writeMachine(machine: MachineFile): Promise<void> {
    return this.runner.writeFile(
      posix.join(this.path, 'machine.json'),
      `${JSON.stringify(machine, null, 2)}\n`,
      0o600,
    )
  }

  async readRecord(): Promise<string | null> {
    return (await this.runner.readFile(posix.join(this.path, 'record.json')))?.toString('utf8') ?? null
  }

  writeRecord(text: string): Promise<void> {
    return this.runner.writeFile(posix.join(this.path, 'record.json'), text, 0o600)
  }

  /** `machine.json` goes last, so that a cut leaves a folder that still says whose it is. */
  async remove(): Promise<void> {
    const names = await this.runner.list(this.path)
    for (const name of names.filter((name) => name !== 'machine.json')) {
      await this.runner.remove(posix.join(this.path, name))
    }
    await this.runner.remove(this.path)
  }
}
