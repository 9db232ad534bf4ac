export { claimReconciler } from './reconcile.ts'
export { addClaimRoutes } from './routes.ts'
