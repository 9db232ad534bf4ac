import { posix } from 'node:path'
import type { Authority } from '../authority.ts'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'
import type { Image } from '../image.ts'
import type { MachineSight } from './machine-sight.ts'
import { seedDiskPath, writeSeedDisk } from './seed-disk.ts'

export interface RenamingOptions {
  runner: CommandRunner
  sight: MachineSight
}

/**
 * Gives machines another host name: in the folder, and in the seed disk that a guest reads at every boot. The disk is
 * written over, where that is allowed, since QEMU holds it open: a guest that restarts itself reads the new one.
 */
export class Renaming {
  constructor(private readonly options: RenamingOptions) {}

  async rename(environmentId: string, hostname: string, authority: Authority): Promise<void> {
    const { runner, sight } = this.options
    await sight.lookToTouch(environmentId, authority)
    const folder = sight.folder(environmentId)
    const [file, seed] = await Promise.all([folder.readMachine(), folder.readSeed()])
    if (file?.given == null || seed === null) {
      const why = `the machine ${environmentId} is not there, or an earlier agent made it`
      throw new HostError('host_refused', `its host name cannot be changed: ${why}`)
    }
    const identity = { ...seed.identity, hostname }
    const renamed = { ...seed, identity }
    const format = await this.formatOf(folder.path)
    const drafts = posix.join(folder.path, 'renamed')
    await writeSeedDisk(runner, drafts, format, renamed)
    await authority.assertHeld()
    const script = 'cat -- "$1" 2>/dev/null >"$2" || mv -f -- "$1" "$2"'
    const words = [seedDiskPath(drafts, format), seedDiskPath(folder.path, format)]
    const { exitCode, stderr } = await runner.run(['sh', '-c', script, 'sh', ...words])
    if (exitCode !== 0)
      throw new HostError('host_refused', `the seed disk cannot be written: ${stderr.trim()}`)
    await folder.writeSeed(renamed)
    await folder.writeMachine({
      ...file,
      given: { ...file.given, identity: { ...file.given.identity, hostname } },
    })
    await runner.remove(drafts)
  }

  private async formatOf(folder: string): Promise<Image['format']> {
    const { exitCode } = await this.options.runner.run(['test', '-e', seedDiskPath(folder, 'seed')])
    return exitCode === 0 ? 'seed' : 'cloud-init'
  }
}
