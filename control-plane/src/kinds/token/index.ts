export { createPrincipal, createToken, deleteTokensOfRunner, findCaller, touchToken } from './queries.ts'
export { addTokenRoutes } from './routes.ts'
