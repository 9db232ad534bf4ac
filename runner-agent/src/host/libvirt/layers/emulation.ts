import { createHash } from 'node:crypto'
import type { CommandRunner } from '../../command/command-runner.ts'
import type { Virsh } from '../virsh.ts'

/** Reads what a memory image needs of a host besides its size. */
export class Emulation {
  constructor(
    private readonly runner: CommandRunner,
    private readonly virsh: Virsh,
  ) {}

  /** Words that are equal where a memory image of one machine can be loaded by the other. */
  async describe(hardware: string): Promise<string> {
    const [version, processor] = await Promise.all([
      this.virsh.run('version'),
      hardware.startsWith('kvm') ? this.processor() : 'emulated processor',
    ])
    const emulator = /Running hypervisor: (.+)$/m.exec(version)?.[1] ?? 'unknown emulator'
    return `${emulator}, ${hardware}, ${processor}`
  }

  private async processor(): Promise<string> {
    const { stdout } = await this.runner.run(['sh', '-c', "grep -m 2 -E '^(model name|flags)' /proc/cpuinfo"])
    const model = /^model name\s*: (.*)$/m.exec(stdout)?.[1] ?? 'unknown processor'
    return `${model} (features ${createHash('sha256').update(stdout).digest('hex').slice(0, 12)})`
  }
}
