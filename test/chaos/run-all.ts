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
  /** Log level of the killed programs. */
  logLevel: string
  /** Keeps the folder with the logs of every failed run. */
  keep: boolean
}

/** A break shows when users claim from ready pools, which is later than the faults of a run. */
const rush = { least: 5, from: 9_000 }

/** Runs all, several in parallel; reports each one when it ends. */
export async function runAll(
  given: Runs,
  told: (outcome: Outcome, done: number) => void,
): Promise<Outcome[]> {
  await bundlePrograms()
  const outcomes: Outcome[] = []
  const seeds = [...given.seeds]
  const work = async (index: number) => {
    // Staggered, so that not all are at the same point of their runs.
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
