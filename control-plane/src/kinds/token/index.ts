export { createPrincipal, createToken, deleteTokensOfRunner, findCaller } from './queries.ts'
export { addTokenRoutes } from './routes.ts'
export { TokenUse } from './use.ts'
