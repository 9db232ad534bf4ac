import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import { withDisk } from './definition.ts'
import { createDisk, type DiskBase } from './disk.ts'
import type { DomainSnapshots, SeenDefinitions } from './domain-snapshot.ts'
import type { Domains } from './domains.ts'
import type { MachineFolder } from './machine-folder.ts'
import type { GivenSource } from './metadata.ts'

/** Keeps a machine's disk, its definitions and its folder in step when the disk is another one. */
export class MachineDisk {
  constructor(
    private readonly runner: CommandRunner,
    private readonly domains: Domains,
    private readonly snapshots: DomainSnapshots,
    private readonly folderOf: (environmentId: string) => MachineFolder,
  ) {}

  definitions(environmentId: string): Promise<SeenDefinitions> {
    return this.snapshots.definitions(environmentId)
  }

  /**
   * A path for another disk of the machine, never used before: a call of an agent that has ended may still be under way
   * in libvirt with the path it chose.
   */
  newPath(environmentId: string): string {
    return posix.join(this.folderOf(environmentId).path, `disk-${randomUUID().slice(0, 8)}.qcow2`)
  }

  /** Puts a new disk over the base in the place of a disk that no QEMU has open. */
  async replace(environmentId: string, path: string, base: DiskBase, bytes: number): Promise<void> {
    const draft = this.newPath(environmentId)
    await createDisk(this.runner, base, draft, bytes)
    await this.runner.rename(draft, path)
  }

  /**
   * Makes the machine start on this disk from now on, and says in its folder what the disk stands on. May be repeated;
   * the machine may be running.
   */
  async settle(environmentId: string, path: string, source: GivenSource): Promise<void> {
    const folder = this.folderOf(environmentId)
    const [file, definition] = await Promise.all([
      folder.readMachine(),
      this.runner.readFile(folder.definition),
    ])
    if (file?.given == null || definition === null) {
      throw new HostError('host_refused', 'the machine has no folder with a definition')
    }
    const before = definition.toString('utf8')
    const after = withDisk(before, path)
    if (after !== before) await this.runner.writeFile(folder.definition, after, 0o600)
    const { lasting } = await this.snapshots.definitions(environmentId)
    // A definition that names the disks below would be right only as long as their paths are.
    if (lasting.diskPath !== path || lasting.namedBelow.length > 0) {
      await this.domains.define(folder.definition)
      await this.domains.setOwnership(environmentId, file.ownership, ['--config'])
    }
    await folder.writeMachine({ ...file, given: { ...file.given, source } })
  }

  /** Removes the machine's disks that no definition names: of operations that were cut, or frozen by now. */
  async clear(environmentId: string): Promise<void> {
    const { live, lasting } = await this.snapshots.definitions(environmentId)
    const kept = new Set([live, lasting].flatMap(({ diskPath, namedBelow }) => [diskPath, ...namedBelow]))
    // What the running machine has open below its disk may have lost its name: it is a layer now.
    if (live.diskPath === lasting.diskPath && lasting.namedBelow.length === 0) {
      for (const path of live.namedBelow) kept.delete(path)
    }
    const { path: folder } = this.folderOf(environmentId)
    for (const name of await this.runner.list(folder)) {
      const path = posix.join(folder, name)
      if (/^disk(-[0-9a-f]{8})?\.qcow2$/.test(name) && !kept.has(path)) await this.runner.remove(path)
    }
  }
}
