export { changeUserSecret, createUserSecret, deleteUserSecret } from './commands.ts'
export { ownSecrets, readUserSecrets } from './queries.ts'
export { toUserSecret, type UserSecretRow } from './table.ts'
