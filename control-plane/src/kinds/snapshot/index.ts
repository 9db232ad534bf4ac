export { createSnapshot } from './commands/create.ts'
export { deleteSnapshot } from './commands/delete.ts'
export { snapshots } from './queries.ts'
