import type { Restart } from '@hearth/contract'
import type { KnownRun, RunEnding } from '../../guest/process.ts'

/** A run that lasted so long shows that the process works: restarts are counted anew after it. */
const goodMilliseconds = 600_000

/**
 * The pause before the next run that the policy wants after one that ended, and how many restarts in a row that makes;
 * null where none follows.
 */
export function pauseBefore(
  { policy, limit, firstSeconds, mostSeconds }: Restart,
  type: 'task' | 'service',
  run: Pick<KnownRun, 'startedAt' | 'restarts' | 'ending'>,
): { milliseconds: number; restarts: number } | null {
  const { ending } = run
  if (ending === null || !isAgain(policy, ending)) return null
  // Nothing speaks against a service whose machine went down.
  if (ending.cause === 'lost' && type === 'service') return { milliseconds: 0, restarts: 0 }
  const before = ending.finishedAt - run.startedAt >= goodMilliseconds ? 0 : run.restarts
  if (before >= limit) return null
  const seconds = Math.min(mostSeconds, firstSeconds * 2 ** Math.min(before, 20))
  return { milliseconds: seconds * 1000, restarts: before + 1 }
}

function isAgain(policy: Restart['policy'], { cause, exitCode }: RunEnding): boolean {
  // What could not be started will not be the next time, and who stops something wants it to stay so.
  if (policy === 'never' || cause === 'stopped' || cause === 'refused') return false
  return policy === 'always' || exitCode !== 0
}
