import { expect, test } from 'vitest'
import { breaks } from './children/messages.ts'
import type { Fault } from './plan/faults.ts'
import { drawPlan, faultKinds } from './plan/plan.ts'
import { isFound, reportFailure } from './report.ts'
import type { Outcome } from './run.ts'
import { runAll } from './run-all.ts'

/** In parallel: while one run waits, another works. */
const parallel = 3
const settings = { parallel, logLevel: 'warn', keep: false }

/** The smallest set of seeds, from the first on, each of which adds a kind of fault. */
function selection(): number[] {
  const missing = new Set<Fault['kind']>(faultKinds)
  const seeds: number[] = []
  for (let seed = 1; missing.size > 0; seed += 1) {
    const kinds = drawPlan(seed).faults.map(({ kind }) => kind)
    if (!kinds.some((kind) => missing.has(kind))) continue
    for (const kind of kinds) missing.delete(kind)
    seeds.push(seed)
  }
  return seeds
}

test('whatever is killed, cut, delayed or repeated, no intent is lost, no machine given twice and nothing orphaned', async () => {
  const given = { ...settings, seeds: selection(), break: null }
  const outcomes = await runAll(given, () => undefined)
  const failed = outcomes.filter(({ violations }) => violations.length > 0)
  expect(failed.map((outcome) => reportFailure(outcome, given)).join('\n')).toBe('')
})

/** A break affects some environments only: two runs may contain none of them, six hardly ever do. */
const breakSeeds = [1, 3, 5, 7, 9, 11].map((seed) => [seed, seed + 1])

test.each(breaks)('the checker finds the deliberate fault %s', async (chosen) => {
  let outcomes: Outcome[] = []
  for (const seeds of breakSeeds) {
    outcomes = await runAll({ ...settings, seeds, break: chosen }, () => undefined)
    if (outcomes.some(({ broken }) => broken)) break
  }
  // If the break took place, the checker must find it.
  expect(outcomes.some(({ broken }) => broken)).toBe(true)
  expect(isFound(chosen, outcomes)).toBe(true)
})
