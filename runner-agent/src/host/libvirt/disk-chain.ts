import { z } from 'zod'
import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

const chainSchema = z.array(z.object({ filename: z.string(), 'virtual-size': z.int().positive() })).min(1)

export interface DiskChain {
  virtualBytes: number
  /** Paths of the files below the disk, the uppermost first. */
  below: string[]
}

/** What a disk stands on, which a running machine may have open. Throws HostError when a file of it cannot be read. */
export async function readDiskChain(runner: CommandRunner, path: string): Promise<DiskChain> {
  const command = ['qemu-img', 'info', '--force-share', '--backing-chain', '--output=json', path] as const
  const { exitCode, stdout, stderr } = await runner.run(command)
  if (exitCode !== 0) {
    throw new HostError('layer_damaged', `the disk ${path} cannot be read: ${stderr.trim()}`)
  }
  const [top, ...rest] = chainSchema.parse(JSON.parse(stdout))
  return { virtualBytes: top?.['virtual-size'] ?? 0, below: rest.map(({ filename }) => filename) }
}
