export { createPrebuild } from './commands/create.ts'
export { cancelPrebuild, deletePrebuild } from './commands/end.ts'
export { createLogToken } from './commands/log-token.ts'
export { prebuilds } from './queries.ts'
