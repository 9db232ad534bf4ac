import type { Services } from '../api/services.ts'
import type { Reconciler } from '../reconciling/reconciler.ts'
import type { WorkKind } from '../work/work-kind.ts'
import type { AddRoute } from './routes.ts'

/** Services that exist before the routes are built. */
export type KindTools = Pick<Services, 'database' | 'messaging' | 'clock' | 'log'>

/** The declaration of a kind: all that it adds to the control plane. */
export interface Kind {
  /** The kind's word, which is the name of its folder. */
  name: string
  routes: readonly AddRoute[]
  /** Routes that need no token, since the request proves itself in another way. */
  openRoutes?: readonly AddRoute[]
  /** The work that runners do for the kind. */
  work?: WorkKind
  reconcilers?(services: Services): readonly Reconciler[]
  /** Removes records whose retention is over. */
  everyHour?(services: Services): Promise<void>
  everyMinute?(services: Services): Promise<void>
  /** Called after a reconnect to NATS, which may have lost its store: recreates what the kind keeps there. */
  whenNatsReturns?(tools: KindTools, signal: AbortSignal): Promise<void>
  /** Called when the event stream ends at `end` and later events, which it has lost, will be published again. */
  whenEventsGoBack?(tools: KindTools, end: number): Promise<void>
  /** Called at the start and when the clock was set back: mends what was written while it ran ahead. */
  whenClockGoesBack?(tools: KindTools): Promise<void>
  whenTokensEnd?(tools: KindTools): Promise<void>
}
