import { setImmediate } from 'node:timers/promises'
import { longestSimulatedDays, type PoolSimulation, type poolSimulationCreateSchema } from '@hearth/contract'
import { type Clock, HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Queryable } from '../../../database/connection.ts'
import { given } from '../../../resource/change.ts'
import { refuseBadSizes } from '../commands/sizes.ts'
import { readSurroundings } from '../queries.ts'
import { runnersOf } from '../refill-queries.ts'
import { type PoolSpec, poolSpec, type WarmPoolRow } from '../table.ts'
import { knownClaims, measureBoot, measureWake } from './queries.ts'
import { simulate } from './simulate.ts'

type Asked = z.output<typeof poolSimulationCreateSchema>

/** Where the pool has made none yet. */
const bootUnknown = 60_000
const wakeUnknown = 1_500

const longestMilliseconds = 10_000

/**
 * Throws `invalid` for sizes that contradict each other, for claims that are too far apart or not there, and for what takes too
 * long to reckon.
 */
export async function runSimulation(
  queryable: Queryable,
  pool: WarmPoolRow,
  asked: Asked,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<PoolSimulation> {
  const spec = { ...poolSpec(pool), ...given(asked.settings) }
  refuseBadSizes(spec, 'body.settings')
  const claims =
    asked.claims?.map((time) => Date.parse(time)).toSorted((one, other) => one - other) ??
    (await knownClaims(queryable, pool.id, clock.now()))
  refuseBadClaims(claims, pool)
  const surroundings = (await readSurroundings(queryable, [pool.id])).get(pool.id)
  if (surroundings === undefined) throw new Error(`pool ${pool.id} has no project or no class`)
  const measured = await measureBoot(queryable, pool.id)
  const runners = await runnersOf(queryable, pool, surroundings)
  const bootMilliseconds =
    asked.bootSeconds === undefined ? (measured?.boot ?? bootUnknown) : asked.bootSeconds * 1_000
  // What is known of slots says nothing of another time.
  const slotMilliseconds =
    asked.bootSeconds === undefined ? (measured?.slot ?? bootUnknown) : bootMilliseconds
  const bootSlots = asked.bootSlots ?? sumOf(runners.map(({ boot_slots }) => boot_slots))
  const wakeMilliseconds = (await measureWake(queryable, pool.id)) ?? wakeUnknown
  const run = simulate({
    spec,
    claims,
    fallback: asked.fallback,
    times: { bootMilliseconds, slotMilliseconds, bootSlots, wakeMilliseconds },
    size: surroundings.class_spec,
  })
  const until = clock.now().getTime() + longestMilliseconds
  for (;;) {
    signal.throwIfAborted()
    if (clock.now().getTime() > until) throw tooLong(claims, spec)
    const step = run.next()
    const isMeasured = asked.bootSeconds === undefined && measured !== null
    const assumed = { bootSeconds: bootMilliseconds / 1_000, bootSlots, isMeasured }
    if (step.done === true) return { ...step.value, assumed }
    // Other requests come first.
    await setImmediate()
  }
}

function refuseBadClaims(claims: readonly number[], pool: WarmPoolRow): void {
  const [first] = claims
  const last = claims.at(-1)
  if (first === undefined || last === undefined)
    throw new HearthError('invalid', `pool ${pool.name} has no known claims`, {
      details: [{ field: 'body.claims', given: 'nothing', expected: 'when claims came' }],
    })
  if (last - first <= longestSimulatedDays * 86_400_000) return
  const days = Math.ceil((last - first) / 86_400_000)
  throw new HearthError('invalid', 'the claims are too far apart', {
    details: [
      { field: 'body.claims', given: `${days} days`, expected: `at most ${longestSimulatedDays} days` },
    ],
  })
}

function tooLong(claims: readonly number[], { schedules }: Pick<PoolSpec, 'schedules'>): HearthError {
  const days = Math.ceil(((claims.at(-1) ?? 0) - (claims[0] ?? 0)) / 86_400_000)
  return new HearthError('invalid', 'the simulation takes too long', {
    details: [
      {
        field: 'body',
        given: `${claims.length} claims within ${days} days, and ${schedules.length} schedules`,
        expected: `what is reckoned within ${longestMilliseconds / 1_000} s: fewer days or schedules`,
      },
    ],
  })
}

/** null where one of them has no bound, or there is none. */
function sumOf(slots: readonly (number | null)[]): number | null {
  if (slots.length === 0) return null
  return slots.reduce((sum, each) => (sum === null || each === null ? null : sum + each), 0)
}
