export { notePresence } from './presence.ts'
export { runnerReconciler } from './reconcile.ts'
export { addRunnerRoutes } from './routes.ts'
export { synchronize } from './synchronize.ts'
