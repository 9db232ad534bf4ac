/** Whether an error is one of PostgreSQL's with one of these SQLSTATE codes. */
export function hasSqlState(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
