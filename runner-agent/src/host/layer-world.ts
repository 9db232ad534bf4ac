import { deepStrictEqual, ok } from 'node:assert'
import { newId } from '@hearth/foundation'
import type { ExclusionScope } from './exclusion-scope.ts'
import { exclusiveMachines } from './exclusive-machines.ts'
import type { Host } from './host.ts'
import { HostError } from './host-error.ts'
import { authority, neverAborted } from './layer-contract-setting.ts'
import type { MachineSpecification } from './machine.ts'
import type { Machines } from './machines.ts'

export const layerOperations = [
  'start',
  'delete',
  'freeze',
  'flatten',
  'copy',
  'collect',
  'put back',
] as const

/** One operation on some machine and some layer of the world; the numbers choose them among those that are there. */
export interface LayerOperation {
  kind: (typeof layerOperations)[number]
  machine: number
  layer: number
}

export interface LayerWorldSetting {
  first: Host
  /** Another host of the same runner, to which layers are copied. */
  second: Host
  /** The runner's id: other machines on the hosts are left alone. */
  owner: string
  /** By which agents of the first host exclude each other. */
  exclusion: ExclusionScope
  specification(source: { layerId: string } | null): MachineSpecification
  /** What is left of machines and layers on both hosts. */
  left(): Promise<string[]>
}

/** Machines and layers of two hosts, with which operations are done at once. */
export class LayerWorld {
  /** The first host's, as agents use them: one change of a machine at a time. */
  private readonly changing: Machines
  private readonly machines: string[] = []
  private readonly layers: string[] = []

  constructor(private readonly setting: LayerWorldSetting) {
    this.changing = exclusiveMachines(setting.first.machines, setting.exclusion)
  }

  /**
   * Begins, does the rounds, in each of which the operations are under way at once, and ends. Throws what does not hold.
   * Resolves with how many operations were done, and how many the host refused.
   */
  async run(rounds: readonly (readonly LayerOperation[])[]): Promise<{ done: number; refused: number }> {
    let refused = 0
    await this.begin()
    for (const round of rounds) {
      const done = await Promise.allSettled(round.map((operation) => this.do(operation)))
      for (const outcome of done) {
        if (outcome.status === 'fulfilled') continue
        // A layer or a machine may just have gone, or stand in another operation's way: then the host says so.
        if (!(outcome.reason instanceof HostError)) throw outcome.reason
        refused += 1
      }
      await this.assertWhole()
    }
    await this.assertUsable()
    await this.removeAll()
    deepStrictEqual(await this.setting.left(), [])
    return { done: rounds.flat().length - refused, refused }
  }

  private async begin(): Promise<void> {
    await this.start(null)
    for (const machine of [0, 0]) await this.do({ kind: 'freeze', machine, layer: 0 })
  }

  private async do({ kind, machine, layer }: LayerOperation): Promise<void> {
    const environmentId = this.machines[machine % this.machines.length]
    const layerId = this.layers[layer % this.layers.length]
    const { layers } = this.setting.first
    if (kind === 'start') return this.start(layerId === undefined ? null : { layerId })
    if (kind === 'freeze' && environmentId !== undefined) {
      const id = newId()
      await layers.freeze({ layerId: id, environmentId, memory: machine % 2 === 0 }, authority)
      this.layers.push(id)
    }
    if (kind === 'delete' && environmentId !== undefined) {
      this.machines.splice(this.machines.indexOf(environmentId), 1)
      await this.changing.remove(environmentId, authority)
    }
    if (layerId === undefined) return
    if (kind === 'flatten') await layers.flatten(layerId, () => undefined, neverAborted, authority)
    if (kind === 'copy') await this.copy(layerId)
    if (kind === 'collect') await layers.remove(layerId, authority)
    if (kind === 'put back' && environmentId !== undefined) {
      await this.changing.powerOff(environmentId, authority)
      await this.changing.replaceDisk(environmentId, layerId, authority)
    }
  }

  /** Every machine's disk stands on layers that are there and whole. */
  private async assertWhole(): Promise<void> {
    for (const host of [this.setting.first, this.setting.second]) {
      const there = new Map((await host.layers.inventory()).map((entry) => [entry.layerId, entry]))
      for (const { layerId, parentId } of there.values()) {
        if ((await host.layers.look(layerId)).phase !== 'present') continue
        await host.layers.verify(layerId, neverAborted)
        if (parentId === null) continue
        ok(there.get(parentId)?.usedBy.includes(layerId), `${layerId} stands on ${parentId}, which is gone`)
      }
    }
  }

  /** A start and freezing look at what the disk stands on, and say when that is not there. */
  private async assertUsable(): Promise<void> {
    const { machines, layers } = this.setting.first
    for (const environmentId of this.machines) {
      if ((await machines.look(environmentId)).power === 'absent') continue
      await this.changing.powerOff(environmentId, authority)
      await this.changing.start(environmentId, authority)
      const layerId = newId()
      await layers.freeze({ layerId, environmentId, memory: false }, authority)
      const { facts } = await layers.look(layerId)
      if (facts?.parentId != null) await layers.verify(facts.parentId, neverAborted)
      this.layers.push(layerId)
    }
  }

  private async removeAll(): Promise<void> {
    for (const host of [this.setting.first, this.setting.second]) {
      for (const { environmentId, ownership } of await host.machines.inventory()) {
        if (ownership?.owner === this.setting.owner) await host.machines.remove(environmentId, authority)
      }
      for (let left = await host.layers.inventory(); left.length > 0; ) {
        for (const { layerId } of left) await host.layers.remove(layerId, authority)
        const next = await host.layers.inventory()
        ok(next.length < left.length, `${left.length} layers cannot be removed: ${JSON.stringify(next)}`)
        left = next
      }
    }
  }

  private async start(source: { layerId: string } | null): Promise<void> {
    const given = this.setting.specification(source)
    await this.changing.create(given, authority)
    this.machines.push(given.environmentId)
    await this.changing.start(given.environmentId, authority)
  }

  private async copy(layerId: string): Promise<void> {
    const { first, second } = this.setting
    const { facts, origin, machine } = await first.layers.look(layerId)
    if (facts === null || origin === null || machine === null) return
    await second.layers.beginCopy({ layerId, facts, origin, machine }, authority)
    for (const file of ['disk', 'memory'] as const) {
      const length = facts[file]?.bytes ?? 0
      const offset = await second.layers.receivedBytes(layerId, file)
      if (offset >= length) continue
      const rest = await first.layers.read(layerId, file, offset, length)
      await second.layers.write(layerId, file, offset, rest, authority)
    }
    await second.layers.completeCopy(layerId, authority)
  }
}
