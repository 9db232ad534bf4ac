import type { Kind } from '../../resource/define.ts'
import { inputRoute } from './input-route.ts'
import { openProcessLogRoute } from './log/open-route.ts'
import { processReconciler } from './reconcile.ts'
import { processWorkKind } from './work/kind.ts'

/** What tasks and services have in common: to their runner both are processes. */
export const processKind: Kind = {
  name: 'process',
  routes: [inputRoute],
  openRoutes: [openProcessLogRoute],
  work: processWorkKind,
  reconcilers: () => [processReconciler],
}
