import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import type pg from 'pg'
import { startRunningMachine } from './running-machine.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make volumes and move them. */
export function volumePosts(given: {
  client(): HearthClient
  sql(): Pick<pg.Client, 'query'>
  make(path: string, body: unknown): Promise<string>
}): { name: string; prepare(): Promise<Prepared> }[] {
  const { client, sql, make } = given
  const body = (sizeMebibytes = 64) => ({ name: `v-${newId().slice(-8)}`, spec: { sizeMebibytes } })
  /** A volume on a machine's host, as that would have made it. */
  const placed = async () => {
    const machine = await startRunningMachine(client())
    const id = await make('/v1/volumes', body())
    await sql().query(
      `UPDATE volumes SET phase = 'available', deadline = NULL,
        runner_id = (SELECT runner_id FROM environments WHERE id = $2) WHERE id = $1`,
      [id, machine],
    )
    return { id, machine }
  }
  const attached = async () => {
    const { id, machine } = await placed()
    await sql().query(`UPDATE volumes SET phase = 'attached', environment_id = $2 WHERE id = $1`, [
      id,
      machine,
    ])
    return id
  }
  return [
    {
      name: 'volumes',
      prepare: async () => ({ path: '/v1/volumes', body: body(), other: body(128) }),
    },
    {
      name: 'volumes/{id}/attach',
      prepare: async () => {
        const [one, another] = [await placed(), await placed()]
        return {
          path: `/v1/volumes/${one.id}/attach`,
          body: { environment: one.machine },
          otherPath: `/v1/volumes/${another.id}/attach`,
          other: { environment: another.machine },
        }
      },
    },
    {
      name: 'volumes/{id}/detach',
      prepare: async () => ({
        path: `/v1/volumes/${await attached()}/detach`,
        body: { force: false },
        other: { force: true },
      }),
    },
    {
      name: 'volumes/{id}/clear',
      prepare: async () => ({
        path: `/v1/volumes/${(await placed()).id}/clear`,
        body: { force: false },
        other: { force: true },
      }),
    },
    {
      name: 'volumes/{id}/snapshots',
      prepare: async () => ({
        path: `/v1/volumes/${(await placed()).id}/snapshots`,
        body: { name: `s-${newId().slice(-8)}` },
        other: { name: `s-${newId().slice(-8)}` },
      }),
    },
  ]
}
