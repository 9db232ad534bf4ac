export { webApps } from './queries.ts'
export { toWebApp, type WebAppRow } from './table.ts'
