import type { OrderEnvelope, ReportEnvelope, WorkMessages } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Database, Queryable } from '../database/connection.ts'
import type { Encryption } from '../database/encryption.ts'

export type ReportOutcome = 'applied' | 'stale' | 'refused'

/** The order that a runner should have for one resource. */
export interface WantedOrder {
  /** Digest of the current order, also when the order cannot be made. */
  digest: string
  /** The newest committed report; null for kinds whose agents do not ask whether their reports arrived. */
  reported: { epoch: number; sequence: number } | null
}

/** A kind of work that runners do: its orders, its reports and its synchronisation. */
export interface WorkKind<
  Order extends OrderEnvelope = OrderEnvelope,
  Report extends ReportEnvelope = ReportEnvelope,
> {
  readonly messages: WorkMessages<Order, Report>
  /** All orders that a runner should have, by id. Large orders cost no more than small ones. */
  wantedOrders(queryable: Queryable, runnerId: string): Promise<Map<string, WantedOrder>>
  /** Approximate sizes of the orders in bytes, without making them. */
  orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>>
  /**
   * The current orders: all of a runner's, or those with the given ids. A resource that is gone or has no runner has
   * none. An order that cannot be made is passed to `onUnusable` and left out.
   */
  currentOrders(
    queryable: Queryable,
    encryption: Encryption,
    wanted: { runnerId: string } | { ids: readonly string[] },
    onUnusable: (id: string, error: Error) => void,
  ): Promise<Order[]>
  /**
   * Commits reports in one transaction, those of one id in the order given. Stale and repeated reports change nothing.
   * Throws `UnusableReport` for a report that can never be committed, or the error of PostgreSQL; nothing is changed
   * then.
   */
  applyReports(database: Database, clock: Clock, reports: readonly Report[]): Promise<ReportOutcome[]>
  /** Records that a report was dropped, where people look for it. */
  recordDropped(database: Database, clock: Clock, report: Report, cause: string): Promise<void>
}

/** A report that can never be committed, however often it is tried; the cause says why. */
export class UnusableReport extends Error {}
