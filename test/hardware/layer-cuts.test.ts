import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { generateSecureShellKeyPair, LibvirtHost, LocalCommandRunner } from '@hearth/runner-agent'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { changingMethods, isChange } from './host-changes.ts'
import { offerMuteImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { muteSpecification } from './mute-specification.ts'

const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const never = new AbortController().signal
/** More changes than any operation makes. */
const mostChanges = 60
/** A run tries every third cut, from the seed on; HEARTH_TEST_CUTS=all tries each. */
const everyCut = process.env.HEARTH_TEST_CUTS === 'all'
const seed = Number(process.env.HEARTH_TEST_SEED ?? Math.floor(Date.now() / 1_000))
const stride = everyCut ? 1 : 3
let folder: string

beforeAll(async () => {
  console.info(everyCut ? 'every cut' : `seed ${seed}`)
  folder = await newRunFolder()
  await offerMuteImage(join(folder, 'images'), 'mute')
})
afterAll(() => removeRun(folder, [owner]))

class Cut extends Error {}

/** Runs commands until a number of changes was made; from then on everything is cut. */
function runnerOf(allowed: number): LocalCommandRunner {
  const runner = new LocalCommandRunner()
  let made = 0
  for (const name of [...changingMethods, 'readPart'] as const) {
    const original = runner[name].bind(runner) as (...given: unknown[]) => Promise<unknown>
    const counted = async (...given: unknown[]) => {
      const changes = name !== 'readPart' && isChange(name, given)
      if (made >= allowed && (changes || made > allowed)) {
        made = allowed + 1
        throw new Cut()
      }
      if (changes) made += 1
      return original(...given)
    }
    Object.assign(runner, { [name]: counted })
  }
  return runner
}

function hostOf(name: string, allowed = Number.POSITIVE_INFINITY): LibvirtHost {
  return new LibvirtHost({
    runner: runnerOf(allowed),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, name),
    ...layersAt(join(folder, `${name}-layers`)),
    owner,
    ...guestNetwork,
    agentKey: generateSecureShellKeyPair('agent').publicKey,
    capacity: {},
    clock: systemClock,
  })
}

/** Does the work, cut after one change more each time, until it is whole; then what has to hold after each cut. */
async function cutEverywhere(
  name: string,
  work: (host: LibvirtHost) => Promise<void>,
  afterwards: (host: LibvirtHost, cut: boolean) => Promise<void>,
): Promise<void> {
  for (let allowed = seed % stride; allowed < mostChanges; allowed += stride) {
    const isWhole = await work(hostOf(name, allowed)).then(
      () => true,
      (thrown: unknown) => {
        if (thrown instanceof Cut) return false
        throw new Error(`after ${allowed} changes`, { cause: thrown })
      },
    )
    try {
      await afterwards(hostOf(name), !isWhole)
    } catch (thrown) {
      throw new Error(`after a cut behind ${allowed} changes`, { cause: thrown })
    }
    if (isWhole) {
      expect(allowed).toBeGreaterThan(2)
      return
    }
  }
  throw new Error('it never came to its end')
}

async function expectNothing(name: string): Promise<void> {
  expect(await readdir(join(folder, name))).toEqual([])
  expect(await readdir(join(folder, `${name}-layers`))).toEqual([])
}

it.each([
  ['off', false],
  ['running, with its memory', true],
])('freezing a machine that is %s may be cut after any change', async (name, isOn) => {
  const place = isOn ? 'running' : 'off'
  const given = muteSpecification()
  const { environmentId } = given
  const host = hostOf(place)
  await host.machines.create(given, authority)
  if (isOn) await host.machines.start(environmentId, authority)
  const layers: string[] = []
  let layerId = newId()
  await cutEverywhere(
    place,
    (cutting) => cutting.layers.freeze({ layerId, environmentId, memory: isOn }, authority),
    async (next) => {
      const listed = await next.layers.inventory()
      for (const entry of listed) expect(entry.ownership?.owner, name).toBe(owner)
      await next.layers.freeze({ layerId, environmentId, memory: isOn }, authority)
      const { phase, facts } = await next.layers.look(layerId)
      expect(phase).toBe('present')
      expect(facts?.parentId ?? null).toBe(layers[0] ?? null)
      expect(facts?.memory === null, facts?.memoryFault ?? '').toBe(!isOn)
      expect((await next.machines.look(environmentId)).power).toBe(isOn ? 'running' : 'shut_off')
      layers.unshift(layerId)
      layerId = newId()
    },
  )
  for (const id of layers) await host.layers.verify(id, never)
  expect(
    (await readdir(join(folder, place, environmentId))).filter((file) => file.endsWith('qcow2')),
  ).toHaveLength(1)
  await host.machines.powerOff(environmentId, authority)
  await host.machines.start(environmentId, authority)
  await host.machines.remove(environmentId, authority)
  for (const id of layers) expect(await host.layers.remove(id, authority)).toEqual([])
  await expectNothing(place)
})

it('a freezing that was cut after any change can be given up, and the machine goes on', async () => {
  const place = 'given-up'
  const given = muteSpecification()
  const { environmentId } = given
  const host = hostOf(place)
  await host.machines.create(given, authority)
  await host.machines.start(environmentId, authority)
  const layers: string[] = []
  await cutEverywhere(
    place,
    async (cutting) => {
      layers.push(newId())
      await cutting.layers.freeze({ layerId: layers.at(-1) ?? '', environmentId, memory: false }, authority)
    },
    async (next) => {
      const layerId = layers.at(-1) ?? ''
      const usedBy = await next.layers.remove(layerId, authority)
      const isThere = (await next.layers.inventory()).some((entry) => entry.layerId === layerId)
      expect(isThere).toBe(usedBy.length > 0)
      await next.machines.powerOff(environmentId, authority)
      await next.machines.start(environmentId, authority)
      expect((await next.machines.look(environmentId)).power).toBe('running')
    },
  )
  await host.machines.remove(environmentId, authority)
  for (const id of layers.toReversed()) expect(await host.layers.remove(id, authority)).toEqual([])
  await expectNothing(place)
})

it('flattening, copying and putting back may be cut after any change', async () => {
  const place = 'flattening'
  const given = muteSpecification()
  const { environmentId } = given
  const host = hostOf(place)
  await host.machines.create(given, authority)
  const lower = newId()
  await host.layers.freeze({ layerId: lower, environmentId, memory: false }, authority)
  const uppers: string[] = []
  await cutEverywhere(
    place,
    async (cutting) => {
      const upper = newId()
      uppers.unshift(upper)
      await host.layers.freeze({ layerId: upper, environmentId, memory: false }, authority)
      await cutting.layers.flatten(upper, () => undefined, never, authority)
      await cutting.machines.replaceDisk(environmentId, lower, authority)
    },
    async (next) => {
      const [upper = ''] = uppers
      await next.layers.verify(upper, never)
      await next.machines.start(environmentId, authority)
      await next.machines.powerOff(environmentId, authority)
      await next.layers.flatten(upper, () => undefined, never, authority)
      await next.layers.verify(upper, never)
      expect((await next.layers.look(upper)).facts?.parentId).toBeNull()
      await next.machines.replaceDisk(environmentId, lower, authority)
    },
  )
  const [first = ''] = uppers
  const { facts, origin, machine } = await host.layers.look(first)
  if (facts === null || origin === null || machine === null) throw new Error('the layer is not present')
  const copy = 'copies'
  await cutEverywhere(
    copy,
    async (cutting) => {
      await cutting.layers.beginCopy({ layerId: first, facts, origin, machine }, authority)
      const there = await cutting.layers.receivedBytes(first, 'disk')
      const rest = await host.layers.read(first, 'disk', there, facts.disk.bytes)
      if (rest.length > 0) await cutting.layers.write(first, 'disk', there, rest, authority)
      await cutting.layers.completeCopy(first, authority)
    },
    async (next, cut) => {
      for (const entry of await next.layers.inventory()) expect(entry.ownership?.owner).toBe(owner)
      if (!cut) await next.layers.verify(first, never)
    },
  )
  expect(await hostOf(copy).layers.remove(first, authority)).toEqual([])
  await host.machines.remove(environmentId, authority)
  for (const id of [...uppers, lower]) expect(await host.layers.remove(id, authority)).toEqual([])
  await expectNothing(place)
})

it('a start from memory may be cut after any change: the machine then goes on from memory, or boots', async () => {
  const place = 'memory'
  const given = muteSpecification()
  const host = hostOf(place)
  await host.machines.create(given, authority)
  await host.machines.start(given.environmentId, authority)
  const layerId = newId()
  await host.layers.freeze({ layerId, environmentId: given.environmentId, memory: true }, authority)
  await host.machines.remove(given.environmentId, authority)
  let fork = muteSpecification({ layerId })
  await cutEverywhere(
    place,
    async (cutting) => {
      fork = muteSpecification({ layerId })
      await host.machines.create(fork, authority)
      await cutting.machines.startFromMemory(fork.environmentId, layerId, authority)
    },
    async (next, cut) => {
      const { environmentId } = fork
      if (cut) {
        const { power, fault } = await next.machines.look(environmentId)
        if (power === 'running') expect(fault).toMatch(/start from memory/)
        await next.machines.startFromMemory(environmentId, layerId, authority)
      }
      const { power, fault } = await next.machines.look(environmentId)
      expect([power, fault]).toEqual(['running', null])
      await next.machines.remove(environmentId, authority)
    },
  )
  expect(await host.layers.remove(layerId, authority)).toEqual([])
  await expectNothing(place)
})
