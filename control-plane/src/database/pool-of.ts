import type pg from 'pg'

const pools = new WeakMap<object, pg.Pool>()

/** Transactions of this database are on connections of this pool. */
export function setPool(database: object, pool: pg.Pool): void {
  pools.set(database, pool)
}

export function poolOf(database: object): pg.Pool {
  const pool = pools.get(database)
  if (pool === undefined) throw new Error('a transaction needs a database that connectDatabase made')
  return pool
}
