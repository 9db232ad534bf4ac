import { setTimeout as delay } from 'node:timers/promises'
import { repeatableRandom } from '@hearth/testing'
import { type Claimant, call, claimOverHttp } from './http-claim.ts'
import { note } from './usage.ts'

export interface PoolLoad {
  claimsPerSecond: number
  seconds: number
  seed: number
  /** Each claim is released so many seconds after it was served, evenly by chance. */
  heldSeconds: { least: number; most: number }
}

export interface MadeClaim {
  /** Since the load began, in milliseconds. */
  at: number
  took: number
  served: boolean
}

/** In words, for the output: what is measured depends on it. */
export const describeHeld = ({ heldSeconds: { least, most } }: PoolLoad) =>
  `each claim is released ${least} to ${most} s after it was served, evenly by chance`

/** Claims arrive as by chance (Poisson), from the given pools in turn by chance; resolves when all are released. */
export async function loadPools(
  claimant: Claimant,
  pools: readonly string[],
  { claimsPerSecond, seconds, seed, heldSeconds }: PoolLoad,
): Promise<MadeClaim[]> {
  const random = repeatableRandom(seed)
  const made: MadeClaim[] = []
  const running: Promise<void>[] = []
  const began = performance.now()
  let next = 0
  for (;;) {
    next += (-Math.log(1 - random.next()) / claimsPerSecond) * 1_000
    if (next >= seconds * 1_000) break
    const warmPoolId = random.pick(pools)
    const held = heldSeconds.least + random.next() * (heldSeconds.most - heldSeconds.least)
    const at = next
    const wait = at - (performance.now() - began)
    if (wait > 0) await delay(wait)
    running.push(
      claimAndRelease(claimant, warmPoolId, held).then(({ took, served }) => {
        made.push({ at, took, served })
      }),
    )
  }
  await Promise.all(running)
  return made.toSorted((one, other) => one.at - other.at)
}

async function claimAndRelease(
  claimant: Claimant,
  warmPoolId: string,
  heldSeconds: number,
): Promise<Omit<MadeClaim, 'at'>> {
  const before = performance.now()
  const { status, text } = await claimOverHttp(claimant, { warmPoolId })
  const took = performance.now() - before
  if (status === 201) {
    const { metadata } = JSON.parse(text) as { metadata: { id: string } }
    await delay(heldSeconds * 1_000)
    const { agent, token, url } = claimant
    const released = await call(agent, {
      method: 'DELETE',
      url: `${url}/v1/claims/${metadata.id}`,
      token,
    })
    if (released.status >= 300) throw new Error(`release answered ${released.status}: ${released.text}`)
    return { took, served: true }
  }
  if (!text.includes('pool_empty')) note(`claim answered ${status}: ${text.slice(0, 200)}`)
  return { took, served: false }
}
