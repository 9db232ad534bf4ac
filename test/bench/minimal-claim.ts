import { newId } from '@hearth/foundation'
import type pg from 'pg'
import type { Floor } from './claim-floor.ts'

/**
 * The least that a durable claim can be: the oldest ready machine of a pool is taken and the claim written, by one
 * statement, which PostgreSQL commits by itself. No event, no key for repeats, no quota, no certificate.
 */
export async function claimMinimally(
  pool: pg.Pool,
  floor: Floor,
  warmPoolIds: readonly string[],
  index: number,
): Promise<void> {
  const id = newId()
  const { rowCount } = await pool.query({
    name: 'minimal-claim',
    text: `WITH taken AS (
        UPDATE environments SET claim_id = $1, status_version = status_version + 1, updated_at = now()
        WHERE id = (SELECT id FROM environments WHERE owner_kind = 'warm-pool' AND owner_id = $2 AND claim_id IS NULL
          AND phase = 'running' AND desired_phase = 'running' AND unreachable = false
          ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id)
      INSERT INTO claims (id, organization_id, name, creator, labels, spec, status, warm_pool_id, environment_id, phase)
      SELECT $1, $3, $4, $5, '{}', '{}', '{}', $2, taken.id, 'bound' FROM taken`,
    values: [
      id,
      warmPoolIds[index % warmPoolIds.length],
      floor.organizationId,
      `claim-${id.slice(-6)}`,
      floor.principalId,
    ],
  })
  if (rowCount !== 1) throw new Error('the pool is empty')
}
