export { Authentication, callerOfToken } from './authentication.ts'
export { createToken as issueToken, revokeToken } from './commands.ts'
export {
  createPrincipal,
  createToken,
  deleteTokensOfRunner,
  forgetCallers,
  principalsOfRunner,
  tokens,
} from './queries.ts'
export type { TokenRow } from './table.ts'
export { TokenUse } from './use.ts'
export { TokenWatch } from './watch.ts'
