export { Authentication } from './authentication.ts'
export { createPrincipal, createToken, deleteTokensOfRunner, isTokenGood } from './queries.ts'
export { addTokenRoutes } from './routes.ts'
export { TokenUse } from './use.ts'
