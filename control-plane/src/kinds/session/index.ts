export { followSessions, requireFollowable, type SessionChange } from './follow.ts'
export { listByName, type SessionPage } from './listed.ts'
export { sessions } from './queries.ts'
export { type SessionRow, toSession } from './table.ts'
