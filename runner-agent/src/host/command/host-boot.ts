import { HostError } from '../host-error.ts'
import type { CommandRunner } from './command-runner.ts'

/** Id of the host's current boot, as its kernel reports it. */
export class HostBoot {
  constructor(private readonly runner: CommandRunner) {}

  async id(): Promise<string> {
    const text = await this.runner.readFile('/proc/sys/kernel/random/boot_id')
    const id = text?.toString('latin1').trim() ?? ''
    if (/^[0-9a-f-]{36}$/.test(id)) return id
    throw new HostError(
      'host_refused',
      `the boot of ${this.runner.describedAs} cannot be read: "${id.slice(0, 80)}"`,
    )
  }
}
