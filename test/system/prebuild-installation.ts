import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Prebuild, PrebuildPhase } from '@hearth/contract'
import pg from 'pg'
import { until } from './following.ts'
import type { Installation } from './installation.ts'
import type { SyntheticAgent } from './synthetic-agent.ts'

export const untilPrebuild = (
  { client }: Pick<Installation, 'client'>,
  id: string,
  wanted: (prebuild: Prebuild) => boolean,
) => until(client, `prebuild ${id}`, () => client.prebuilds.get(id), wanted)

/** Resolves when it is in the phase; rejects at once when it has ended in another. */
export const untilPhase = (installation: Pick<Installation, 'client'>, id: string, phase: PrebuildPhase) =>
  untilPrebuild(installation, id, ({ status }) => {
    if (status.phase === phase) return true
    if (status.phase === 'failed') throw new Error(`it failed: ${JSON.stringify(status.failure)}`)
    return false
  })

/** Lets the time of a prebuild be over. */
export const endTimeOf = (installation: Pick<Installation, 'database'>, id: string) =>
  changePrebuild(installation, id, `deadline = now() - interval '1 second'`)

/** Lets the pauses of its templates that failed be over. */
export const retryTemplatesNow = (installation: Pick<Installation, 'database'>, id: string) =>
  changePrebuild(
    installation,
    id,
    `status = jsonb_set(status, '{templates}', (SELECT jsonb_agg(template || '{"retryAt":"2026-01-01T00:00:00.000Z"}')
      FROM jsonb_array_elements(status->'templates') AS template))`,
  )

async function changePrebuild(
  { database }: Pick<Installation, 'database'>,
  id: string,
  change: string,
): Promise<void> {
  const sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  try {
    await sql.query(`UPDATE prebuilds SET ${change} WHERE id = $1`, [id])
    await sql.query(`SELECT graphile_worker.add_job('reconcile', $1)`, [{ kind: 'prebuild', id }])
  } finally {
    await sql.end()
  }
}

const ids = (folder: string) => {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f-]{36}$/.test(name))
  } catch {
    return []
  }
}
export const machinesOf = ({ stateFolder }: Pick<SyntheticAgent, 'stateFolder'>) =>
  ids(join(stateFolder, 'environments'))
export const layersOf = ({ stateFolder }: Pick<SyntheticAgent, 'stateFolder'>) =>
  ids(join(stateFolder, 'layers'))
