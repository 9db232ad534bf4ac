import { join } from 'node:path'
import type { Environment, Snapshot } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createGuestClass, type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { type Work, type WorkKill, works } from './killed/kill.ts'
import { bundleKillableAgent, KillableAgent } from './killed/killable-agent.ts'
import { type LayerGround, LayerLife } from './killed/layer-life.ts'
import { newKeyPair } from './secure-shell.ts'

/** A snapshot with so many layers below it is flattened. */
const layersBelow = 7
/** A run dies once in each kind of work, at a change by the seed; with HEARTH_TEST_CUTS=all at each, before and during it. */
const everyKill = process.env.HEARTH_TEST_CUTS === 'all'
const seed = Number(process.env.HEARTH_TEST_SEED ?? Math.floor(Date.now() / 1_000))
/** Changes that each kind of work makes at least. */
const fewestChanges: Readonly<Record<Work, number>> = { resume: 10, freeze: 10, flatten: 5, copy: 6 }

type Places = Readonly<Partial<Record<Work, number>>>

let bundle: AsyncDisposable
let host: HardwareHost
let ground: LayerGround
let life: LayerLife
let origin: Environment
let lower: Snapshot

beforeAll(async () => {
  console.info(everyKill ? 'every kill' : `seed ${seed}`)
  bundle = await bundleKillableAgent()
  host = await startHost()
  await offerImage(host.imagesFolder, 'debian-12')
  const { client } = host
  const runner = async (name: string) => {
    const settings = { HEARTH_LAYERS_ADDRESS: `127.0.0.1:${await freePort()}` }
    return new KillableAgent(host, await host.joinRunner(name, settings))
  }
  const [north, south] = [await runner('north'), await runner('south')]
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'shop' })
  const { metadata } = await createGuestClass(client, 'guest', 'debian-12')
  const keys = await newKeyPair(join(host.folder, 'keys'), 'owner')
  ground = { host, keys, north, south, projectId, environmentClassId: metadata.id }
  life = new LayerLife(ground)
  await north.start(null)
  origin = await life.running(await life.make())
  await life.startCounter(origin)
  for (let below = 1; below < layersBelow; below += 1) await life.ready(await life.freeze(origin, false))
  lower = await life.ready(await life.freeze(origin, true))
  expect(lower.status.memory).toEqual({ kept: true, reason: null })
  await south.start(null)
})
afterAll(async () => {
  for (const agent of [ground?.north, ground?.south]) await agent?.stop()
  await host?.[Symbol.asyncDispose]()
  await bundle?.[Symbol.asyncDispose]()
})

/** The n-th place to die: before each change, and during it. */
function killAt(work: Work, place: number): WorkKill {
  return { work, at: Math.floor(place / 2) + 1, moment: place % 2 === 0 ? 'before' : 'during' }
}

/**
 * A machine goes on from memory, is frozen, its layer is flattened and copied, and all of it is removed; in each the agent
 * that does it dies where it is told. Resolves with the kinds of work in which one died, and those that it ended before.
 */
async function liveThrough(places: Places): Promise<{ died: Work[]; ended: Work[] }> {
  const { north, south } = ground
  const kills = works.flatMap((work) => {
    const place = places[work]
    return place === undefined ? [] : [killAt(work, place)]
  })
  /** What an agent is told that has to live until it does this work. */
  const killOf = (...anyOf: Work[]) => kills.find(({ work }) => anyOf.includes(work)) ?? null
  const before = await life.settled()
  const originBoot = await life.bootOf(origin)
  const died: Work[] = []
  const ended: Work[] = []
  /** Null where no agent is to die in it. */
  const diesIn = async (work: Work, result: Promise<unknown>) => {
    const agent = work === 'copy' ? south : north
    if (agent.armed?.work !== work) return null
    const isDead = await agent.diesBefore(result)
    const ends = isDead ? died : ended
    ends.push(work)
    return isDead
  }

  await north.start(killOf('resume') ?? killOf('freeze', 'flatten'))
  const made = await life.make({ snapshotId: lower.metadata.id, memory: true })
  const running = life.running(made)
  if ((await diesIn('resume', running)) !== null) await north.start(killOf('freeze', 'flatten'))
  expect((await running).status.startedFrom).toMatchObject({ from: 'memory', reason: null })
  const boot = await life.bootOf(made)

  const frozen = await life.freeze(made, true)
  const ready = life.ready(frozen)
  if ((await diesIn('freeze', ready)) === true) await north.start(killOf('flatten'))
  const { memory } = (await ready).status
  expect(memory?.kept === true || memory?.reason !== null).toBe(true)
  const flattened = life.flattened(frozen)
  if ((await diesIn('flatten', flattened)) === true) await north.start(null)
  await flattened
  expect(await life.bootOf(made)).toBe(boot)

  await south.start(killOf('copy'))
  await host.client.snapshots.copy(frozen.metadata.id, { runner: south.joined.runner.metadata.name })
  const copied = life.copied(frozen)
  if ((await diesIn('copy', copied)) === true) await south.start(null)
  await copied
  await life.expectSameDisks(frozen)
  expect(await life.bootOf(made)).toBe(boot)

  await life.remove(made, frozen)
  expect(await life.bootOf(origin)).toBe(originBoot)
  await expect.poll(() => life.seen(), { timeout: 60_000 }).toEqual(before)
  return { died, ended }
}

it('an agent that dies while a guest is resumed, frozen, flattened or copied ends it when it is back, and nothing is left', async () => {
  if (!everyKill) {
    const places = works.map((work) => [work, seed % (2 * fewestChanges[work])] as const)
    expect(await liveThrough(Object.fromEntries(places))).toEqual({ died: [...works], ended: [] })
    return
  }
  const next = new Map<Work, number>(works.map((work) => [work, 0]))
  while (next.size > 0) {
    const { died, ended } = await liveThrough(Object.fromEntries(next))
    console.info(`died in ${died.map((work) => `${work} ${next.get(work)}`).join(', ')}`)
    for (const work of died) next.set(work, (next.get(work) ?? 0) + 1)
    for (const work of ended) {
      expect(next.get(work), work).toBeGreaterThanOrEqual(2 * fewestChanges[work])
      next.delete(work)
    }
  }
}, 3_600_000)

it('one that dies while a guest is resumed, and comes back when that was deleted, leaves nothing of it', async () => {
  const { north } = ground
  const before = await life.settled()
  const places = everyKill ? [...Array(2 * fewestChanges.resume).keys()] : [seed % (2 * fewestChanges.resume)]
  for (const place of places) {
    await north.start(killAt('resume', place))
    const made = await life.make({ snapshotId: lower.metadata.id, memory: true })
    const removed = life.removed(made)
    expect(await north.diesBefore(removed)).toBe(true)
    await host.client.environments.delete(made.metadata.id)
    await north.start(null)
    await removed
    await expect.poll(() => life.seen(), { timeout: 60_000 }).toEqual(before)
  }
}, 3_600_000)
