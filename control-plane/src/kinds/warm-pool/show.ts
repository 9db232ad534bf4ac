import type { WarmPool } from '@hearth/contract'
import type { Queryable } from '../../database/connection.ts'
import { readSurroundings } from './queries.ts'
import { configurationFor, factsOf } from './surroundings.ts'
import { noFacts, toWarmPool, type WarmPoolRow } from './table.ts'

/** Shows pools with their present counts; the environments of all of them are counted in one query. */
export async function showWarmPools(queryable: Queryable, rows: readonly WarmPoolRow[]): Promise<WarmPool[]> {
  const surroundings = await readSurroundings(
    queryable,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => {
    const found = surroundings.get(row.id)
    return toWarmPool(row, found === undefined ? noFacts : factsOf(row, found))
  })
}

export async function showWarmPool(queryable: Queryable, row: WarmPoolRow): Promise<WarmPool> {
  const [pool] = await showWarmPools(queryable, [row])
  if (pool === undefined) throw new Error(`pool ${row.id} was not shown`)
  return pool
}

/** Fingerprint of what the pool would make now. */
export async function presentConfiguration(queryable: Queryable, row: WarmPoolRow): Promise<string> {
  const found = (await readSurroundings(queryable, [row.id])).get(row.id)
  if (found === undefined) throw new Error(`pool ${row.id} has no project or no class`)
  return configurationFor(row, found)
}
