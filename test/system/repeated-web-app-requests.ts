import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import type pg from 'pg'
import { appZip, deploy } from './app-zip.ts'
import type { Installation } from './installation.ts'
import { startRunningMachine } from './running-machine.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make web apps, and those that make and end deployments without an upload. */
export function webAppPosts(given: {
  installation(): Installation
  sql(): Pick<pg.Client, 'query'>
}): { name: string; prepare(): Promise<Prepared> }[] {
  const body = async (client: HearthClient) => ({
    name: `a-${newId().slice(-12)}`,
    spec: { environment: await startRunningMachine(client), runtime: 'nodejs' as const },
  })
  const webApp = async () => {
    const { client } = given.installation()
    return client.webApps.create(await body(client))
  }
  const zip = appZip('[processes.web]\ncommand = "node server.js"\n')
  const deployed = async (space: string) => (await deploy(given.installation(), space, await zip)).metadata.id
  /** As if it had gone well. */
  const current = async (space: string) => {
    const id = await deployed(space)
    await given
      .sql()
      .query(`UPDATE deployments SET phase = 'succeeded', finished_at = now() WHERE id = $1`, [id])
    await given.sql().query(
      `UPDATE spaces SET current_deployment_id = $1::uuid,
        status = jsonb_set(status, '{releases}', (status->'releases') || to_jsonb($1::text)) WHERE id = $2`,
      [id, space],
    )
  }
  const named = { body: { displayName: 'one' }, other: { displayName: 'other' } }
  const nothing = { body: undefined, other: undefined }
  return [
    {
      name: 'web-apps',
      prepare: async () => {
        const { client } = given.installation()
        return { path: '/v1/web-apps', body: await body(client), other: await body(client) }
      },
    },
    {
      name: 'web-apps/{id}/retry',
      prepare: async () => {
        const path = async () => `/v1/web-apps/${(await webApp()).metadata.id}/retry`
        return { path: await path(), otherPath: await path(), ...nothing }
      },
    },
    {
      name: 'spaces/{id}/promote',
      prepare: async () => {
        const { uat } = (await webApp()).status.spaceIds
        await current(uat)
        return { path: `/v1/spaces/${uat}/promote`, ...named }
      },
    },
    {
      name: 'spaces/{id}/rollback',
      prepare: async () => {
        const { uat } = (await webApp()).status.spaceIds
        await current(uat)
        await current(uat)
        return { path: `/v1/spaces/${uat}/rollback`, ...named }
      },
    },
    {
      name: 'deployments/{id}/cancel',
      prepare: async () => {
        const path = async () =>
          `/v1/deployments/${await deployed((await webApp()).status.spaceIds.uat)}/cancel`
        return { path: await path(), otherPath: await path(), ...nothing }
      },
    },
  ]
}
