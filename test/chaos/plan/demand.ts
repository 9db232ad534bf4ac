import type { Action, Subject } from './actions.ts'

/** Machines of the class `small` that fit on one runner at least: when one runner is away, not everything fits. */
const fewestPerRunner = 9
/** What prebuilds need for a while: the machines they are built on, and those of templates. */
const transient = 2

/** How many machines each runner must have room for, so that all fit that the users want in the end. */
export function machinesPerRunner(subjects: readonly Subject[], runners: number): number {
  const lasting = subjects.reduce((sum, { actions }) => sum + lastingMachines(actions), 0)
  return Math.max(fewestPerRunner, Math.ceil((lasting + transient) / runners))
}

/** How many machines the actions of one user leave at most. */
export function lastingMachines(actions: readonly Action[]): number {
  let [pool, claims, others] = [0, 0, 0]
  for (const action of actions) {
    switch (action.do) {
      case 'apply':
      case 'resize':
        pool = action.min
        break
      case 'claim':
        claims += 1
        break
      case 'create environment':
      case 'start from snapshot':
      case 'make pipeline':
        others += 1
        break
      case 'fork':
        others += action.count
        break
      default:
        // Releases and deletions may be refused.
        break
    }
  }
  return pool + claims + others
}
