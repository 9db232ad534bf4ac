import { setTimeout as delay } from 'node:timers/promises'
import type { Break } from './children/messages.ts'
import { drawPlan } from './plan/plan.ts'
import { type Outcome, run } from './run.ts'
import { bundlePrograms, removeBundles } from './world/bundle.ts'
import { Slot } from './world/slot.ts'

export interface Runs {
  seeds: readonly number[]
  /** Number of parallel runs. */
  parallel: number
  break: Break | null
  /** What the killed programs write to their logs. */
  logLevel: string
  /** Keeps the folder with the logs of every failed run. */
  keep: boolean
}

/** A break is seen by those who claim when pools are ready: later than the faults, from which they recover. */
const rush = { least: 5, from: 9_000 }

/** Does the runs, several side by side; tells of each as it is over. */
export async function runAll(
  given: Runs,
  told: (outcome: Outcome, done: number) => void,
): Promise<Outcome[]> {
  await bundlePrograms()
  const outcomes: Outcome[] = []
  const seeds = [...given.seeds]
  const work = async (index: number) => {
    // Not all at the same point of their runs.
    await delay(index * 700)
    await using slot = await Slot.open()
    let failed = false
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const outcome = await run(slot, given.break === null ? drawPlan(seed) : drawPlan(seed, rush), given)
      outcomes.push(outcome)
      told(outcome, outcomes.length)
      failed ||= outcome.violations.length > 0
    }
    if (!failed || !given.keep) await slot.forget()
  }
  try {
    await Promise.all([...Array(Math.min(given.parallel, given.seeds.length)).keys()].map(work))
  } finally {
    await removeBundles()
  }
  return outcomes
}
