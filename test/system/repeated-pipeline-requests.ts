import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import type pg from 'pg'
import { startRunningMachine } from './running-machine.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make pipelines and ask something of them. */
export function pipelinePosts({
  client,
  sql,
  make,
}: {
  client: () => HearthClient
  sql: () => pg.Client
  make: (path: string, body: unknown) => Promise<string>
}): { name: string; prepare(): Promise<Prepared> }[] {
  const body = () => ({ name: `p_${newId().slice(-8)}`, spec: { program: { code: 'SELECT 1' } } })
  const made = () => make('/v1/pipelines', body())
  /** One whose program says that it is so, and that is to be so. */
  const running = (runtime: string, desired: string) => async () => {
    const id = await made()
    const told = JSON.stringify({ told: { runtime, details: null } })
    await sql().query(
      `UPDATE pipelines SET resources = 'provisioned', desired = 'provisioned', runtime = $2, desired_runtime = $3,
         environment_id = $4, work = work || $5 WHERE id = $1`,
      [id, runtime, desired, await startRunningMachine(client()), told],
    )
    return id
  }
  const action = (name: string, prepared: () => Promise<string>, sent?: object, other = sent) => ({
    name: `pipelines/{id}/${name}`,
    prepare: async () => ({
      path: `/v1/pipelines/${await prepared()}/${name}`,
      otherPath: `/v1/pipelines/${await prepared()}/${name}`,
      body: sent,
      other,
    }),
  })
  return [
    { name: 'pipelines', prepare: async () => ({ path: '/v1/pipelines', body: body(), other: body() }) },
    action('compile', made),
    action('start', made, {}, { initial: 'paused' }),
    action('stop', made, {}, { force: true }),
    action('pause', running('running', 'running')),
    action('resume', running('paused', 'paused')),
    action('activate', running('standby', 'standby'), {}, { initial: 'paused' }),
    action('approve', running('awaiting_approval', 'running'), {}, { silentBootstrap: true }),
    action('clear', made),
    action('dismiss-error', made),
  ]
}
