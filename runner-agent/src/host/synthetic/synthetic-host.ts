import type { Host, HostFacts } from '../host.ts'
import { SyntheticMachines, type SyntheticMachinesOptions } from './synthetic-machines.ts'

export interface SyntheticHostOptions extends SyntheticMachinesOptions {
  capacity: Pick<HostFacts, 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes'>
}

/** A host without virtual machines, kept in files: for demonstrations without virtualisation and for tests at scale. */
export class SyntheticHost implements Host {
  readonly machines: SyntheticMachines

  constructor(private readonly options: SyntheticHostOptions) {
    this.machines = new SyntheticMachines(options)
  }

  async facts(): Promise<HostFacts> {
    return { virtualization: 'synthetic', ...this.options.capacity, images: this.options.images }
  }

  async freeDiskBytes(): Promise<number> {
    return this.options.capacity.diskGibibytes * 1024 ** 3
  }

  async close(): Promise<void> {
    this.machines.close()
  }
}
