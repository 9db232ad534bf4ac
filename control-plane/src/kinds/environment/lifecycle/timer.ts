import { decideLife } from '../life/ends.ts'
import { lifeOf } from '../life/status.ts'
import type { EnvironmentRow } from '../table.ts'

/**
 * The next time at which the environment must be reconciled: its deadline, the end of the time it is kept for, or that of
 * its life, and the announcement of that.
 */
export function timerOf(
  row: Pick<EnvironmentRow, 'deadline' | 'remove_at' | 'desired_phase' | 'life' | 'phase' | 'unreachable'>,
  now: Date,
): Date | null {
  const removal = row.desired_phase === 'deleted' ? null : row.remove_at
  const { action, wakeAt } = decideLife(lifeOf(row), now)
  const times = [row.deadline, removal, action === null ? wakeAt : now].filter((time) => time !== null)
  return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
}
