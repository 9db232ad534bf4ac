import type { Generated } from 'kysely'

/**
 * Orders waiting to be published. A row names the environment, not its content: the publisher sends what the
 * environment is by then, so that the newest order is the one that arrives.
 */
export interface OutboxTable {
  id: Generated<string>
  topic: 'order' | 'purge'
  runner_id: string
  environment_id: string
  created_at: Generated<Date>
}
