import type { EnvironmentPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { EnvironmentRow } from '../table.ts'

/**
 * The end of the boot and of the time an environment is kept for, after a move to another phase. That time runs from
 * the end of the boot.
 */
export function bootEnd(
  row: Pick<EnvironmentRow, 'boot_ended_at' | 'keep_seconds' | 'remove_at'>,
  phase: EnvironmentPhase,
  now: Date,
): Pick<EnvironmentRow, 'boot_ended_at' | 'remove_at'> {
  switch (phase) {
    case 'pending':
    case 'provisioning':
      return { boot_ended_at: null, remove_at: null }
    case 'running':
    case 'failed':
      return { boot_ended_at: row.boot_ended_at ?? now, remove_at: keptUntil(row, now) }
    case 'starting':
    case 'stopping':
    case 'stopped':
    case 'suspending':
    case 'suspended':
    case 'resuming':
    case 'deleting':
    case 'deleted':
      return { boot_ended_at: row.boot_ended_at, remove_at: row.remove_at }
    default:
      return assertNever(phase)
  }
}

/** The end of the time an environment is kept for, counted from now; null when there is no such end. */
export function keptUntil({ keep_seconds }: Pick<EnvironmentRow, 'keep_seconds'>, now: Date): Date | null {
  return keep_seconds === null ? null : new Date(now.getTime() + keep_seconds * 1000)
}
