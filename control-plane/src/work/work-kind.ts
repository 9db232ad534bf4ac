import type { OrderEnvelope, ReportEnvelope, WorkMessages } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, Queryable } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'

export type ReportOutcome = 'applied' | 'stale' | 'refused'

/** What a runner is to have of one thing. */
export interface WantedOrder {
  /** Of its order as it is now, also of one that cannot be made. */
  digest: string
  /** The newest report that was taken in; null where agents do not ask whether theirs arrived. */
  reported: { epoch: number; sequence: number } | null
}

/** A kind of work that runners do: what delivery publishes of it, takes in of it, and synchronises. */
export interface WorkKind<
  Order extends OrderEnvelope = OrderEnvelope,
  Report extends ReportEnvelope = ReportEnvelope,
> {
  readonly messages: WorkMessages<Order, Report>
  /** All that a runner is to have, by id. It costs no more for large orders. */
  wantedOrders(queryable: Queryable, runnerId: string): Promise<Map<string, WantedOrder>>
  /** About how many bytes the orders have, without making them. */
  orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>>
  /**
   * The orders as they are now: all of a runner's, or those named. What is gone or has no runner has none. One that
   * cannot be made is told and left out.
   */
  currentOrders(
    queryable: Queryable,
    encryption: Encryption,
    wanted: { runnerId: string } | { ids: readonly string[] },
    onUnusable: (id: string, error: Error) => void,
  ): Promise<Order[]>
  /**
   * Commits reports together, those of one id in the order given: stale, repeated and reordered ones change nothing.
   * Throws, having changed nothing, `UnusableReport` for one that cannot be used, and whatever PostgreSQL says.
   */
  applyReports(database: Database, clock: Clock, reports: readonly Report[]): Promise<ReportOutcome[]>
  /** Notes, where people look, that a report was thrown away. */
  noteUnusable(database: Database, clock: Clock, report: Report, cause: string): Promise<void>
}

/** A report that nothing can be made of, however often it is tried; the cause says why. */
export class UnusableReport extends Error {}
