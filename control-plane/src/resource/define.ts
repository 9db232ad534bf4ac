import type { Services } from '../api/services.ts'
import type { Reconciler } from '../reconciling/reconciler.ts'
import type { WorkKind } from '../work/work-kind.ts'
import type { AddRoute } from './routes.ts'

/** All that a kind brings into the control plane. */
export interface Kind {
  /** The name of its folder. */
  name: string
  routes: readonly AddRoute[]
  /** What runners do for it. */
  work?: WorkKind
  reconcilers?(services: Services): readonly Reconciler[]
  /** Removes what has been kept long enough. */
  everyHour?(services: Services): Promise<void>
  everyMinute?(services: Services): Promise<void>
}
