import type { Generated } from 'kysely'

/**
 * Orders waiting to be published. A row names what is ordered, not its content: the publisher sends what it is by then,
 * so that the newest order is the one that arrives.
 */
export interface OutboxTable {
  id: Generated<string>
  topic: 'order' | 'purge'
  runner_id: string
  /** The kind of work. */
  kind: string
  /** The id of what is ordered, of whatever kind: the column is as old as environments were the only one. */
  environment_id: string
  created_at: Generated<Date>
}
export interface OutboxTables {
  outbox: OutboxTable
}
