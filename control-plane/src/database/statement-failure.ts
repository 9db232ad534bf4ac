import { isConnectionLoss } from './connection.ts'

/** Whether it says nothing of what was to be written: no connection, no room, another transaction's turn, a schema that is not there yet. */
export function isAway(error: unknown): boolean {
  return isConnectionLoss(error) || /^(08|25|40|42|53|55|57|58)/.test(stateOf(error))
}

/** Whether it would fail in the same way again: data that does not fit, a constraint, or a limit. */
export function isAboutContent(error: unknown): boolean {
  return /^(22|23|54)/.test(stateOf(error))
}

/** PostgreSQL's five characters; empty for what is not from it. */
function stateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : ''
}
