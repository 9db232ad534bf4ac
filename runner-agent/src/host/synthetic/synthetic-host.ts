import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import type { Host, HostFacts, InventoryEntry, Machine, MachineSpecification } from '../host.ts'
import { HostError } from '../host-error.ts'
import { digestRandomSeed, newRandomSeed } from '../random-seed.ts'
import { MachineStore, type StoredMachine } from './machine-store.ts'
import { failsByChance, type SyntheticWorld } from './settings.ts'

export interface SyntheticHostOptions extends SyntheticWorld {
  machinesFolder: string
  owner: string
  capacity: Pick<HostFacts, 'virtualCpus' | 'memoryMebibytes' | 'diskGibibytes'>
  images: string[]
}

const ports = { first: 20_000, count: 40_000 }
/** Host keys are real ones, but a few do for all. */
const hostKeysKept = 8

/** Machines that are only written down: for demonstrations without virtualisation, and for scale. */
export class SyntheticHost implements Host {
  private readonly store: MachineStore
  private readonly hostKeys: string[] = []
  private readonly watchers = new Set<(environmentId: string) => void>()

  constructor(private readonly options: SyntheticHostOptions) {
    this.store = new MachineStore(options.machinesFolder)
  }

  async facts(): Promise<HostFacts> {
    return { virtualization: 'synthetic', ...this.options.capacity, images: this.options.images }
  }

  async inventory(): Promise<InventoryEntry[]> {
    const machines: InventoryEntry[] = []
    for (const environmentId of await this.store.list()) {
      const machine = await this.store.read(environmentId)
      machines.push({
        environmentId,
        power: machine?.power ?? 'absent',
        ownership: machine?.ownership ?? null,
      })
    }
    return machines
  }

  async look(environmentId: string): Promise<Machine> {
    const [machine, record] = await Promise.all([
      this.store.read(environmentId),
      this.store.readText(environmentId, 'record.json'),
    ])
    return {
      environmentId,
      power: machine?.power ?? 'absent',
      ownership: machine?.ownership ?? null,
      address: machine?.address ?? null,
      identity: machine?.identity ?? null,
      record,
    }
  }

  async create(specification: MachineSpecification): Promise<void> {
    const { environmentId, owner, epoch, generation, hostname } = specification
    if ((await this.own(environmentId)) !== null) return
    if (!this.options.images.includes(specification.image)) {
      throw new HostError(
        'image_missing',
        `the base image "${specification.image}" is not on the synthetic host`,
      )
    }
    await delay(this.options.settings.createMilliseconds)
    if (failsByChance(this.options.settings, 'create_vm', this.options.random)) {
      throw new HostError('host_refused', 'the synthetic host refused the machine, as its settings say')
    }
    const digest = digestRandomSeed(newRandomSeed())
    await this.store.write(environmentId, {
      power: 'shut_off',
      answersAt: 0,
      ownership: {
        owner,
        environmentId,
        epoch,
        generation,
        createdAt: this.options.clock.now().toISOString(),
      },
      address: { host: '127.0.0.1', port: portOf(environmentId), user: 'root', hostKey: this.hostKey() },
      identity: { machineId: environmentId.replaceAll('-', ''), hostname, randomSeedDigest: digest },
    })
  }

  async start(environmentId: string): Promise<void> {
    const machine = await this.existing(environmentId)
    if (machine.power === 'running') return
    const answersAt = this.options.clock.now().getTime() + this.options.settings.bootMilliseconds
    await this.store.write(environmentId, { ...machine, power: 'running', answersAt })
  }

  async shutDown(environmentId: string): Promise<void> {
    await this.powerOff(environmentId)
  }

  async powerOff(environmentId: string): Promise<void> {
    const machine = await this.existing(environmentId)
    if (machine.power === 'running') await this.store.write(environmentId, { ...machine, power: 'shut_off' })
  }

  async remove(environmentId: string): Promise<void> {
    await this.own(environmentId)
    await this.store.remove(environmentId)
  }

  async stamp(environmentId: string, numbers: { epoch: number; generation: number }): Promise<void> {
    const machine = await this.own(environmentId)
    if (machine === null) return
    await this.store.write(environmentId, { ...machine, ownership: { ...machine.ownership, ...numbers } })
  }

  keepRecord(environmentId: string, text: string): Promise<void> {
    return this.store.writeText(environmentId, 'record.json', text)
  }

  async readConsole(environmentId: string): Promise<string> {
    const machine = await this.store.read(environmentId)
    return machine === null ? '' : `synthetic machine ${environmentId}: ${machine.power}\n`
  }

  watch(changed: (environmentId: string) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    this.watchers.add(changed)
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.watchers.delete(changed)
        resolve()
      })
    })
  }

  /** Ends a machine as a crash would. */
  async crash(environmentId: string): Promise<void> {
    const machine = await this.existing(environmentId)
    await this.store.write(environmentId, { ...machine, power: 'crashed' })
    for (const changed of this.watchers) changed(environmentId)
  }

  async close(): Promise<void> {
    this.watchers.clear()
  }

  private async own(environmentId: string): Promise<StoredMachine | null> {
    const machine = await this.store.read(environmentId)
    if (machine !== null && machine.ownership.owner !== this.options.owner) {
      throw new HostError('host_refused', `the machine ${environmentId} is not this runner's`)
    }
    return machine
  }

  private async existing(environmentId: string): Promise<StoredMachine> {
    const machine = await this.own(environmentId)
    if (machine === null) throw new HostError('host_refused', `there is no machine ${environmentId}`)
    return machine
  }

  private hostKey(): string {
    if (this.hostKeys.length < hostKeysKept) {
      this.hostKeys.push(generateSecureShellKeyPair('synthetic').publicKey)
    }
    const chosen = Math.floor(this.options.random() * this.hostKeys.length)
    return this.hostKeys[chosen] ?? generateSecureShellKeyPair('synthetic').publicKey
  }
}

/** A port that stays the machine's own over restarts; nothing listens on it. */
function portOf(environmentId: string): number {
  return ports.first + (createHash('sha256').update(environmentId).digest().readUInt32BE() % ports.count)
}
