import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ExclusionScope } from '../exclusion-scope.ts'
import { exclusiveMachines } from '../exclusive-machines.ts'
import { HostError } from '../host-error.ts'
import type { Machines } from '../machines.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'
import type { SyntheticHost } from './synthetic-host.ts'

/** Together 1,000 rounds, in each of which operations interleave. */
const worlds = 125
const roundsOfWorld = 8
const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const never = new AbortController().signal
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-layers-property-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** One operation on some machine and some layer of the world; `pick` chooses them among those that are there. */
const anyOperation = fc.record({
  kind: fc.constantFrom('start', 'delete', 'freeze', 'flatten', 'copy', 'collect', 'put back' as const),
  machine: fc.nat(),
  layer: fc.nat(),
})
/** Operations of one round are under way at once. */
const anyRounds = fc.array(fc.array(anyOperation, { minLength: 2, maxLength: 3 }), {
  minLength: roundsOfWorld,
  maxLength: roundsOfWorld,
})
type Operation = typeof anyOperation extends fc.Arbitrary<infer Value> ? Value : never

class World {
  readonly first: SyntheticHost
  readonly second: SyntheticHost
  /** The first host's, as agents use them: one change of a machine at a time. */
  private readonly changing: Machines
  private readonly machines: string[] = []
  private readonly layers: string[] = []

  constructor(readonly place: string) {
    const exclusion = new ExclusionScope(join(place, 'locks'), 'first')
    this.first = syntheticHostAt(join(place, 'first'), owner, { exclusion })
    this.changing = exclusiveMachines(this.first.machines, exclusion)
    this.second = syntheticHostAt(join(place, 'second'), owner)
  }

  async begin(): Promise<void> {
    await this.start(null)
    for (const machine of [0, 0]) await this.do({ kind: 'freeze', machine, layer: 0 })
  }

  async do({ kind, machine, layer }: Operation): Promise<void> {
    const environmentId = this.machines[machine % this.machines.length]
    const layerId = this.layers[layer % this.layers.length]
    const { layers } = this.first
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
    if (kind === 'flatten') await layers.flatten(layerId, () => undefined, never, authority)
    if (kind === 'copy') await this.copy(layerId)
    if (kind === 'collect') await layers.remove(layerId, authority)
    if (kind === 'put back' && environmentId !== undefined) {
      await this.changing.powerOff(environmentId, authority)
      await this.changing.replaceDisk(environmentId, layerId, authority)
    }
  }

  /** Every machine's disk stands on layers that are there and whole. */
  async expectWhole(): Promise<void> {
    for (const host of [this.first, this.second]) {
      const there = new Map((await host.layers.inventory()).map((entry) => [entry.layerId, entry]))
      for (const { layerId, parentId } of there.values()) {
        if ((await host.layers.look(layerId)).phase !== 'present') continue
        await host.layers.verify(layerId, never)
        if (parentId !== null) expect(there.get(parentId)?.usedBy).toContain(layerId)
      }
    }
  }

  /** Freezing looks at what the disk stands on, and says when that is not there. */
  async expectFreezable(): Promise<void> {
    for (const environmentId of this.machines) {
      if ((await this.first.machines.look(environmentId)).power === 'absent') continue
      const layerId = newId()
      await this.first.layers.freeze({ layerId, environmentId, memory: false }, authority)
      const { facts } = await this.first.layers.look(layerId)
      if (facts?.parentId != null) await this.first.layers.verify(facts.parentId, never)
      this.layers.push(layerId)
    }
  }

  async expectNothingLeft(): Promise<void> {
    for (const host of [this.first, this.second]) {
      for (const { environmentId } of await host.machines.inventory()) {
        await host.machines.remove(environmentId, authority)
      }
      let left = await host.layers.inventory()
      while (left.length > 0) {
        for (const { layerId } of left) await host.layers.remove(layerId, authority)
        const next = await host.layers.inventory()
        expect(next.length).toBeLessThan(left.length)
        left = next
      }
    }
    for (const name of ['first', 'second']) {
      for (const files of ['environments', 'layers']) {
        expect(await readdir(join(this.place, name, files)).catch(() => [])).toEqual([])
      }
    }
  }

  private async start(source: { layerId: string } | null): Promise<void> {
    const given = syntheticSpecification(source)
    await this.changing.create(given, authority)
    this.machines.push(given.environmentId)
    await this.changing.start(given.environmentId, authority)
  }

  private async copy(layerId: string): Promise<void> {
    const { facts, origin, machine } = await this.first.layers.look(layerId)
    if (facts === null || origin === null || machine === null) return
    await this.second.layers.beginCopy({ layerId, facts, origin, machine }, authority)
    for (const file of ['disk', 'memory'] as const) {
      const length = facts[file]?.bytes ?? 0
      const offset = await this.second.layers.receivedBytes(layerId, file)
      if (offset >= length) continue
      const rest = await this.first.layers.read(layerId, file, offset, length)
      await this.second.layers.write(layerId, file, offset, rest, authority)
    }
    await this.second.layers.completeCopy(layerId, authority)
  }
}

test('whatever is started, deleted, flattened, copied and collected at once, no layer in use goes and nothing is left', async () => {
  let count = 0
  const property = fc.asyncProperty(anyRounds, async (rounds) => {
    count += 1
    const world = new World(join(folder, String(count)))
    await world.begin()
    for (const round of rounds) {
      const done = await Promise.allSettled(round.map((operation) => world.do(operation)))
      for (const outcome of done) {
        // A layer or a machine may just have gone, or stand in another operation's way: then the host says so.
        if (outcome.status === 'rejected' && !(outcome.reason instanceof HostError)) throw outcome.reason
      }
      await world.expectWhole()
    }
    await world.expectFreezable()
    await world.expectNothingLeft()
    await rm(world.place, { recursive: true, force: true })
  })
  const seed = Date.now() % 2 ** 31
  console.info(`seed ${seed}`)
  await fc.assert(property, { seed, numRuns: worlds, endOnFailure: true })
}, 600_000)
