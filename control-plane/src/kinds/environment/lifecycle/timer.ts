import type { EnvironmentRow } from '../table.ts'

/** The next time at which the environment must be reconciled: its deadline, or the end of the time it is kept for. */
export function timerOf(row: Pick<EnvironmentRow, 'deadline' | 'remove_at' | 'desired_phase'>): Date | null {
  const removal = row.desired_phase === 'deleted' ? null : row.remove_at
  const times = [row.deadline, removal].filter((time) => time !== null)
  return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
}
