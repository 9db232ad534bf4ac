import type { Services } from '../api/services.ts'
import type { Reconciler } from '../reconciling/reconciler.ts'
import type { WorkKind } from '../work/work-kind.ts'
import type { AddRoute } from './routes.ts'

/** What is there before the routes are. */
export type KindTools = Pick<Services, 'database' | 'messaging' | 'clock' | 'log'>

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
  /** A server of NATS has come back, perhaps without its store: makes again what the kind has there. */
  whenNatsReturns?(tools: KindTools, signal: AbortSignal): Promise<void>
  /** The stream of events was found to end at `end`: what follows that had been published is published again. */
  whenEventsGoBack?(tools: KindTools, end: number): Promise<void>
  whenTokensEnd?(tools: KindTools): Promise<void>
}
