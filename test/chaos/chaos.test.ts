import { expect, test } from 'vitest'
import { breaks } from './children/messages.ts'
import { faultKinds } from './plan/draw-faults.ts'
import { drawPlan, type Plan } from './plan/plan.ts'
import { isFound, reportFailure } from './report.ts'
import type { Outcome } from './run.ts'
import { runAll } from './run-all.ts'

/** In parallel: while one run waits, another works. */
const parallel = 3
const settings = { parallel, logLevel: 'warn', keep: false }

/** The kinds of faults and of what users do in a run. */
function elementsOf({ faults, subjects }: Plan): string[] {
  const actions = subjects.flatMap((subject) => subject.actions)
  return [...new Set([...faults.map(({ kind }) => kind), ...actions.map((action) => action.do)])]
}

/** Seeds that have every kind of fault and of action, chosen greedily: each adds the most of what is missing. */
function selection(): number[] {
  const drawn = [...Array(100).keys()].map((seed) => ({ seed, elements: elementsOf(drawPlan(seed)) }))
  const missing = new Set<string>([...faultKinds, ...drawn.flatMap(({ elements }) => elements)])
  const added = ({ elements }: (typeof drawn)[number]) => elements.filter((one) => missing.has(one)).length
  const chosen: number[] = []
  while (missing.size > 0) {
    const best = drawn.reduce((most, one) => (added(one) > added(most) ? one : most))
    if (added(best) === 0) throw new Error(`no seed has ${[...missing].join(', ')}`)
    for (const element of best.elements) missing.delete(element)
    chosen.push(best.seed)
  }
  return chosen
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
