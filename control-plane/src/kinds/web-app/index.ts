export { changeWebAppSpec as changeWebApp, deleteWebApp, retryWebApp } from './commands/change.ts'
export { createWebApp } from './commands/create.ts'
export { webApps } from './queries.ts'
export { toWebApp, type WebAppRow } from './table.ts'
