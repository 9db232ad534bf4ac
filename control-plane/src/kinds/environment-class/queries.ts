import { standardEnvironmentClasses } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { resourceQueries } from '../../resource/queries.ts'

export const environmentClasses = resourceQueries('environment_classes', {
  noun: 'environment class',
  names: 'unique',
})

/** The sizes every organization starts with. */
export async function insertStandardClasses(tx: DatabaseTransaction, organizationId: string): Promise<void> {
  for (const [name, size] of Object.entries(standardEnvironmentClasses)) {
    const spec = { ...size, image: 'debian-12', region: null, runnerSelector: {} }
    await environmentClasses.insert(tx, { organizationId, creator: null, name, labels: {}, spec })
  }
}

/** How many pools, pipelines, and environments that are not deleted, are of this class. */
export async function countUses(tx: DatabaseTransaction, id: string): Promise<number> {
  const { rows } = await sql<{ uses: string }>`
    SELECT (SELECT count(*) FROM warm_pools WHERE environment_class_id = ${id})
      + (SELECT count(*) FROM pipelines WHERE environment_class_id = ${id})
      + (SELECT count(*) FROM environments WHERE environment_class_id = ${id} AND phase <> 'deleted') AS uses`.execute(
    tx,
  )
  return Number(rows[0]?.uses ?? 0)
}
