import pg from 'pg'
import type { KillSwitch } from './kill-switch.ts'

const write =
  /^\s*(insert|update|delete|begin|start transaction|commit|rollback|select (\*|.*) from graphile_worker|select graphile_worker)/i

/** Rewrites statements, and checks the rows of those that were rewritten. */
export interface Rewriting {
  rewrite: (text: string) => string
  answered: (rows: readonly Record<string, unknown>[]) => void
}

/** Every statement of this process that changes something, including the begin and end of transactions. */
export function countDatabaseWrites(killSwitch: KillSwitch, { rewrite, answered }: Rewriting): void {
  const prototype = pg.Client.prototype as unknown as { query: (...given: unknown[]) => unknown }
  const query = prototype.query
  prototype.query = function (this: unknown, ...given: unknown[]): unknown {
    const statement = rewritten(given[0], rewrite)
    const call = async () => {
      const result: unknown = await Reflect.apply(query, this, [statement, ...given.slice(1)])
      if (statement !== given[0]) answered((result as pg.QueryResult<Record<string, unknown>>).rows)
      return result
    }
    const text = textOf(statement)
    if (text === null || !write.test(text) || typeof given.at(-1) === 'function') {
      return statement === given[0] ? Reflect.apply(query, this, given) : call()
    }
    return killSwitch.write(call)
  }
}

function textOf(statement: unknown): string | null {
  if (typeof statement === 'string') return statement
  if (typeof statement !== 'object' || statement === null || !('text' in statement)) return null
  return typeof statement.text === 'string' ? statement.text : null
}

function rewritten(statement: unknown, rewrite: (text: string) => string): unknown {
  const text = textOf(statement)
  if (text === null) return statement
  if (typeof statement === 'string') return rewrite(text)
  const changed = rewrite(text)
  return changed === text ? statement : { ...(statement as object), text: changed }
}
