/** Whether an error is one of PostgreSQL's with one of these SQLSTATE codes. */
export function hasSqlState(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Whether a prepared statement has become another since a newer version changed its tables. */
export function isStalePlan(error: unknown): boolean {
  return hasSqlState(error, ['0A000']) && (error as Error).message.includes('cached plan')
}
