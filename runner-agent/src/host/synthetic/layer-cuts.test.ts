import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HostError } from '../host-error.ts'
import { runCutAfter } from './cutting.fixture.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'
import type { SyntheticHost } from './synthetic-host.ts'

const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const never = new AbortController().signal
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-layer-cuts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hostOf = (name: string, runnerId = owner) => syntheticHostAt(join(folder, name), runnerId)

interface World {
  environmentId: string
  lower: string
  upper: string
}

/** A machine whose disk stands on two layers, and a layer that is to be made of it. */
async function begin(): Promise<World> {
  const host = hostOf('one')
  const given = syntheticSpecification()
  const { environmentId } = given
  await host.machines.create(given, authority)
  await host.machines.start(environmentId, authority)
  const [lower, upper] = [newId(), newId()]
  for (const layerId of [lower, upper]) {
    await host.layers.freeze({ layerId, environmentId, memory: true }, authority)
  }
  return { environmentId, lower, upper }
}

async function copy(from: SyntheticHost, to: SyntheticHost, layerId: string): Promise<void> {
  const { facts, origin, machine } = await from.layers.look(layerId)
  if (facts === null || origin === null || machine === null) throw new Error('there is no such layer')
  await to.layers.beginCopy({ layerId, facts, origin, machine }, authority)
  for (const file of ['disk', 'memory'] as const) {
    if (facts[file] === null) continue
    const there = await to.layers.receivedBytes(layerId, file)
    const rest = await from.layers.read(layerId, file, there, facts[file].bytes)
    if (rest.length > 0) await to.layers.write(layerId, file, there, rest, authority)
  }
  await to.layers.completeCopy(layerId, authority)
}

const made = newId()
const resumed = syntheticSpecification()
const operations: Record<string, (world: World) => Promise<unknown>> = {
  freezing: ({ environmentId }) =>
    hostOf('one').layers.freeze({ layerId: made, environmentId, memory: true }, authority),
  flattening: ({ upper }) => hostOf('one').layers.flatten(upper, () => undefined, never, authority),
  copying: ({ lower }) => copy(hostOf('one'), hostOf('two'), lower),
  'going on from memory, or booting where that is gone': async ({ upper }) => {
    const { machines } = hostOf('one')
    const { environmentId } = resumed
    await machines.create({ ...resumed, source: { layerId: upper } }, authority)
    if ((await machines.look(environmentId)).power !== 'shut_off') return
    await machines.startFromMemory(environmentId, upper, authority).catch((thrown: unknown) => {
      // Its removal, tried below, keeps the disk alone.
      if (!(thrown instanceof HostError) || thrown.code !== 'memory_unusable') throw thrown
      return machines.start(environmentId, authority)
    })
  },
  'putting back': async ({ environmentId, lower }) => {
    await hostOf('one').machines.powerOff(environmentId, authority)
    await hostOf('one').machines.replaceDisk(environmentId, lower, authority)
  },
  removing: async ({ environmentId, lower, upper }) => {
    await hostOf('one').machines.remove(environmentId, authority)
    for (const id of [upper, lower]) await hostOf('one').layers.remove(id, authority)
  },
}

test.each(Object.entries(operations))(
  '%s may be cut after any change: what is there is whole and known as ours, can be done again, and goes whole',
  async (_, operation) => {
    for (let allowed = 0; ; allowed += 1) {
      const world = await begin()
      const isWhole = await runCutAfter(allowed, () => operation(world))
      for (const name of ['one', 'two']) {
        for (const { layerId, ownership, usedBy } of await hostOf(name).layers.inventory()) {
          expect(ownership?.owner).toBe(owner)
          if (usedBy.length > 0) expect(await hostOf(name).layers.remove(layerId, authority)).not.toEqual([])
          const { phase } = await hostOf(name).layers.look(layerId)
          if (phase === 'present') await hostOf(name).layers.verify(layerId, never)
        }
        for (const { ownership } of await hostOf(name, newId()).layers.inventory()) {
          expect(ownership?.owner).toBe(owner)
        }
      }
      await operation(world)
      await removeAll()
      if (isWhole) break
      expect(allowed).toBeLessThan(30)
    }
  },
)

async function removeAll(): Promise<void> {
  for (const name of ['one', 'two']) {
    const host = hostOf(name)
    for (const { environmentId } of await host.machines.inventory()) {
      await host.machines.remove(environmentId, authority)
    }
    // A layer goes when those above it have gone.
    for (let left = await host.layers.inventory(); left.length > 0; left = await host.layers.inventory()) {
      const kept = []
      for (const { layerId } of left) kept.push(await host.layers.remove(layerId, authority))
      expect(kept.some((usedBy) => usedBy.length === 0)).toBe(true)
    }
    for (const place of ['environments', 'layers']) {
      expect(await readdir(join(folder, name, place)).catch(() => [])).toEqual([])
    }
  }
}
