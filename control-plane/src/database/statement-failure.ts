import { isConnectionLoss } from './connection.ts'

/**
 * Whether the failure is PostgreSQL's state and not the statement's content: no connection, no disk space, a lock or
 * serialization conflict, a schema not yet migrated.
 */
export function isAway(error: unknown): boolean {
  return isConnectionLoss(error) || /^(08|25|40|42|53|55|57|58)/.test(stateOf(error))
}

/** Whether the statement would fail again: invalid data, a constraint, or a limit. */
export function isAboutContent(error: unknown): boolean {
  return /^(22|23|54)/.test(stateOf(error))
}

/** The SQLSTATE code; empty for an error that is not PostgreSQL's. */
function stateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : ''
}
