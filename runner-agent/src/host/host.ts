import type { RunnerFacts } from '@hearth/contract'
import type { Layers } from './layers.ts'
import type { Machines } from './machines.ts'
import type { Volumes } from './volumes.ts'

export type HostFacts = Pick<
  RunnerFacts,
  'virtualization' | 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes' | 'images' | 'warnings'
>

/** One host and what is on it. */
export interface Host {
  readonly machines: Machines
  readonly layers: Layers
  readonly volumes: Volumes
  facts(): Promise<HostFacts>
  /** Free space, in bytes, where the machines' disks are. */
  freeDiskBytes(): Promise<number>
  close(): Promise<void>
}
