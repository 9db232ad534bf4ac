import type { EnvironmentRow } from '../table.ts'

/** When something follows for an environment from time alone: its deadline passes, or it has been kept long enough. */
export function timerOf(row: Pick<EnvironmentRow, 'deadline' | 'remove_at' | 'desired_phase'>): Date | null {
  const removal = row.desired_phase === 'deleted' ? null : row.remove_at
  const times = [row.deadline, removal].filter((time) => time !== null)
  return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())))
}
