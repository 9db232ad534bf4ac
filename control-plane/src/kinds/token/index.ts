export { Authentication, callerOfToken } from './authentication.ts'
export {
  createPrincipal,
  createToken,
  deleteTokensOfRunner,
  forgetCallers,
  principalsOfRunner,
} from './queries.ts'
export { TokenUse } from './use.ts'
export { TokenWatch } from './watch.ts'
