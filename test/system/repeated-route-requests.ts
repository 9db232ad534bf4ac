import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import type pg from 'pg'
import { startRunningMachine } from './running-machine.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make routes, and what lets people in to them. */
export function routePosts(given: {
  client(): HearthClient
  sql(): Pick<pg.Client, 'query'>
  make(path: string, body: unknown): Promise<string>
}): { name: string; prepare(): Promise<Prepared> }[] {
  let environment: Promise<string> | null = null
  const machine = () => {
    environment ??= startRunningMachine(given.client())
    return environment
  }
  const body = async (port: number, access = 'private') => ({
    name: `r-${newId().slice(-8)}`,
    spec: { environment: await machine(), port, access },
  })
  /** A route as its runner would serve it. */
  const served = async (access: string) => {
    const id = await given.make('/v1/routes', await body(3_000, access))
    await given.sql().query(
      `UPDATE routes SET phase = 'active', host = name || '.hearth.localhost',
        status = jsonb_set(status, '{proxyPort}', '443') WHERE id = $1`,
      [id],
    )
    return id
  }
  const action = (name: string, access: string) => ({
    name: `routes/{id}/${name}`,
    prepare: async () => ({
      path: `/v1/routes/${await served(access)}/${name}`,
      otherPath: `/v1/routes/${await served(access)}/${name}`,
      body: undefined,
      other: undefined,
    }),
  })
  return [
    {
      name: 'routes',
      prepare: async () => ({ path: '/v1/routes', body: await body(3_000), other: await body(8_080) }),
    },
    action('tickets', 'private'),
    action('token', 'token'),
  ]
}
