import { claimOverHttp } from './http-claim.ts'
import { type LifeCost, measureLives } from './machine-life.ts'
import { buildOtherTree } from './other-tree.ts'
import { benchPoolClaims } from './pool-claims.ts'
import { type PoolGround, startPoolGround } from './pool-ground.ts'
import { describeHeld, loadPools, type PoolLoad } from './pool-load.ts'
import { benchSizedPool } from './pool-sized.ts'
import { latenciesOf } from './statistics.ts'
import { plain, type Row } from './table.ts'
import { describe, difference, note } from './usage.ts'

/** The commit before pools followed their claims. */
const before = '9d6e884'
const pools = 4
const sizes = { min: 113, max: 200 }
const load: PoolLoad = { claimsPerSecond: 45, seconds: 60, seed: 45, heldSeconds: { least: 2, most: 8 } }
const settleSeconds = 10
const crowd = 300

/**
 * Pools under load, and what a machine's life costs, against another commit's. Synthetic hosts: what machines do is
 * not measured, but what is done about them.
 */
export async function benchPools(against = before): Promise<Row[]> {
  const rows = benchSizedPool()
  rows.push(...(await benchPoolClaims()))
  const present = await measureLives('this tree')
  using other = await buildOtherTree(against)
  rows.push(...lifeRows(present, await measureLives(against, other.programs)))
  await using ground = await startPoolGround()
  rows.push(...(await benchCrowd(ground)), ...(await benchLoad(ground)))
  return rows
}

function lifeRows(present: LifeCost, former: LifeCost): Row[] {
  const row = (
    measure: string,
    of: 'controlPlane' | 'agents' | 'postgres' | 'nats',
    most: number | null,
  ): Row => ({
    measure: `processor time for a machine's life, ${measure}`,
    hearth: present[of],
    floor: former[of],
    unit: 'ms',
    most,
  })
  return [
    row('control plane', 'controlPlane', 0.5),
    row('agent', 'agents', 1),
    row('PostgreSQL', 'postgres', null),
    row('NATS', 'nats', null),
  ]
}

/** As many claims at once as there are members. */
async function benchCrowd(ground: PoolGround): Promise<Row[]> {
  const warmPoolId = await ground.makePool('crowd', { min: crowd })
  await ground.untilReady(crowd)
  await ground.untilRest()
  const began = performance.now()
  const samples: number[] = []
  let refused = 0
  const claim = async () => {
    const { status, text } = await claimOverHttp(ground.claimant, { warmPoolId })
    samples.push(performance.now() - began)
    if (status === 201) return
    refused += 1
    note(`claim answered ${status}: ${text.slice(0, 200)}`)
  }
  await Promise.all(Array.from({ length: crowd }, claim))
  await ground.deleteProject('crowd')
  const { p50, p90 } = latenciesOf(samples, 1)
  const name = `${crowd} claims at once`
  return [
    { ...plain(`${name}, refused`, refused, ''), most: 0 },
    plain(`${name}, p50`, p50, 'ms'),
    { ...plain(`${name}, p90`, p90, 'ms'), most: 1_500 },
  ]
}

async function benchLoad(ground: PoolGround): Promise<Row[]> {
  const ids: string[] = []
  for (let index = 0; index < pools; index += 1) ids.push(await ground.makePool(`load-${index}`, sizes))
  await ground.untilReady(pools * sizes.min)
  await ground.untilRest()
  const used = ground.usage()
  const made = await loadPools(ground.claimant, ids, load)
  const lasted = load.seconds + load.heldSeconds.most
  note(`under load, of a core: ${describe(difference(used, ground.usage()), lasted)}`)
  note(describeHeld(load))
  const refused = made.filter(({ served }) => !served)
  note(
    `${made.length} claims, ${refused.length} refused, at ${refused
      .slice(0, 20)
      .map(({ at }) => (at / 1000).toFixed(1))
      .join(' ')} s`,
  )
  const { p50, p90, p99 } = latenciesOf(
    made.map(({ took }) => took),
    load.seconds,
  )
  const name = `${load.claimsPerSecond} claims a second`
  const late = refused.filter(({ at }) => at >= settleSeconds * 1_000).length
  return [
    { ...plain(`${name}, refused after ${settleSeconds} s`, late, ''), most: 0 },
    plain(`${name}, refused at all`, refused.length, ''),
    { ...plain(`${name}, p50`, p50, 'ms'), most: 20 },
    plain(`${name}, p90`, p90, 'ms'),
    { ...plain(`${name}, p99`, p99, 'ms'), most: 120 },
  ]
}
