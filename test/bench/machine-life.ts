import { setTimeout as delay } from 'node:timers/promises'
import { type PoolGround, startPoolGround } from './pool-ground.ts'
import { describeHeld, loadPools, type PoolLoad } from './pool-load.ts'
import type { Programs } from './service.ts'
import { describe, difference, note, type Usage } from './usage.ts'

const pools = 4
const poolSize = 40
const idleSeconds = 10
/** Slow enough that no version falls behind, or what is counted would not be the same. */
const load: PoolLoad = {
  claimsPerSecond: 12,
  seconds: 30,
  seed: 1,
  heldSeconds: { least: 1, most: 3 },
}

/** Processor milliseconds for one machine's life, what is used at rest left out. */
export interface LifeCost extends Usage {
  lives: number
}

/** Machines are claimed and released, and the pools make others, until all is as it was before. */
export async function measureLives(name: string, programs?: Programs): Promise<LifeCost> {
  await using ground = await startPoolGround(programs)
  const ids: string[] = []
  for (let index = 0; index < pools; index += 1)
    ids.push(await ground.makePool(`life-${index}`, { min: poolSize }))
  await atRest(ground)
  // The first lives are slower: their code is not compiled yet.
  await loadPools(ground.claimant, ids, { ...load, seconds: 8, seed: 2 })
  await atRest(ground)
  const idleBefore = ground.usage()
  await delay(idleSeconds * 1_000)
  const idle = difference(idleBefore, ground.usage())
  const [before, began] = [ground.usage(), performance.now()]
  const made = await loadPools(ground.claimant, ids, load)
  await atRest(ground)
  const share = (performance.now() - began) / 1_000 / idleSeconds
  const used = difference(before, ground.usage())
  const lives = made.filter(({ served }) => served).length
  const each = (of: keyof Usage) => ((used[of] - idle[of] * share) / lives) * 1_000
  const cost = {
    controlPlane: each('controlPlane'),
    postgres: each('postgres'),
    nats: each('nats'),
    agents: each('agents'),
    lives,
  }
  note(`${name}: ${lives} lives, ${made.length - lives} refused; ${describeHeld(load)}`)
  note(`${name}, milliseconds for each life: ${describe(cost, 1)}`)
  return cost
}

async function atRest(ground: PoolGround): Promise<void> {
  await ground.untilReady(pools * poolSize)
  await ground.untilRest()
}
