import type { RunnerFacts } from '@hearth/contract'
import type { Machines } from './machines.ts'

export type HostFacts = Pick<
  RunnerFacts,
  'virtualization' | 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes' | 'images' | 'warnings'
>

/** One host and what is on it. */
export interface Host {
  readonly machines: Machines
  facts(): Promise<HostFacts>
  /** Free space, in bytes, where the machines' disks are. */
  freeDiskBytes(): Promise<number>
  close(): Promise<void>
}
