import { type Failure, speaksAgainstHost } from '@hearth/contract'
import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Boot, Elsewhere } from './health.decide.ts'

/** Most recent environments considered, on a host or of the same configuration on others. */
const machinesLookedAt = 50

interface EndedBoot {
  id: string
  configuration: string
  /** By this side's clock, as everything it is compared with: the host's own may be wrong. */
  ready_at: Date | null
  failed_at: Date | null
  failure: Failure | null
}

/** Whether a failed environment is on the host: only then is there anything new to judge. */
export async function hasFailures(tx: DatabaseTransaction, runnerId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('environments')
    .select('id')
    .where('runner_id', '=', runnerId)
    .where('phase', '=', 'failed')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** How the newest boots on a host ended, newest first: ready, or failed for a cause that speaks against a host. */
export async function readBoots(tx: DatabaseTransaction, runnerId: string): Promise<Boot[]> {
  const { rows } = await sql<EndedBoot>`
    SELECT id, configuration, CASE WHEN status->>'readyAt' IS NOT NULL THEN
        coalesce(boot_ended_at, (status->>'readyAt')::timestamptz) END AS ready_at,
      (status->>'failedAt')::timestamptz AS failed_at, status->'failure' AS failure
    FROM environments WHERE runner_id = ${runnerId}
    ORDER BY id DESC LIMIT ${machinesLookedAt}`.execute(tx)
  return rows.flatMap(judgedBoot).sort((a, b) => b.at.getTime() - a.at.getTime())
}

function judgedBoot({ id, configuration, ready_at, failed_at, failure }: EndedBoot): Boot[] {
  if (ready_at !== null) return [{ environmentId: id, configuration, ready: true, at: ready_at, message: '' }]
  if (failed_at === null || failure === null || !speaksAgainstHost(failure)) return []
  const step = failure.step === undefined ? '' : `${failure.step}: `
  return [{ environmentId: id, configuration, ready: false, at: failed_at, message: step + failure.message }]
}

/** How environments of these configurations fared on other hosts. */
export async function readElsewhere(
  tx: DatabaseTransaction,
  runnerId: string,
  configurations: readonly string[],
): Promise<Map<string, Elsewhere>> {
  const elsewhere = new Map<string, Elsewhere>()
  for (const configuration of new Set(configurations)) {
    const { rows } = await sql<EndedBoot>`
      SELECT id, configuration, CASE WHEN status->>'readyAt' IS NOT NULL THEN
        coalesce(boot_ended_at, (status->>'readyAt')::timestamptz) END AS ready_at,
        (status->>'failedAt')::timestamptz AS failed_at, status->'failure' AS failure
      FROM environments
      WHERE configuration = ${configuration} AND runner_id <> ${runnerId}
      ORDER BY id DESC LIMIT ${machinesLookedAt}`.execute(tx)
    const boots = rows.flatMap(judgedBoot)
    const ready = boots.filter((boot) => boot.ready).length
    elsewhere.set(configuration, { ready, failed: boots.length - ready })
  }
  return elsewhere
}
