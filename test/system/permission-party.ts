import { buffer } from 'node:stream/consumers'
import { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { ZipFile } from 'yazl'
import { appZip, deploy } from './app-zip.ts'
import { newOrganization } from './hostile-party.ts'
import type { Installation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startRunningMachine } from './running-machine.ts'

export const roles = ['administrator', 'member', 'viewer', 'join', 'runner'] as const
export type RoleName = (typeof roles)[number]

/** An organization with something of every kind, and a token for every role. */
export interface PermissionParty {
  organizationId: string
  tokens: Record<RoleName, string>
  /**
   * The paths of the resources that a path with a parameter stands for, found by listing them; otherwise the path
   * itself.
   */
  fill(path: string): Promise<string>
  /** The id of a resource that a field or parameter of this name may refer to. */
  idFor(name: string): Promise<string>
}

export async function newParty(installation: Installation, name: string): Promise<PermissionParty> {
  const { url } = installation
  const administrator = await newOrganization(installation, name)
  const client = new HearthClient({ url, token: administrator })
  await client.pipelines.create({ name: `${name}-pipeline`, spec: { program: { code: 'SELECT 1' } } })
  // Its machines have a project that is made for them: it is not to be the last one.
  await eventually(
    async () =>
      (await client.projects.listAll({})).some(({ metadata }) => metadata.name === 'pipelines') ? true : null,
    { timeoutMilliseconds: 30_000 },
  )
  await post(url, administrator, '/v1/snapshots', {
    spec: { environment: await startRunningMachine(client) },
  })
  const machine = await startRunningMachine(client)
  await client.tasks.create({ spec: { environment: machine, command: 'make' } })
  await client.services.create({ name: 'web', spec: { environment: machine, command: 'make run' } })
  await client.routes.create({ name: `${name}-route`, spec: { environment: machine, port: 3_000 } })
  await client.volumes.create({ name: `${name}-volume`, spec: { sizeMebibytes: 64 } })
  const { warmPools, projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: `${name}-project`,
    variables: { STAGE: `${name}-variable` },
    warmPools: [{ min: 0 }],
  })
  await post(url, administrator, '/v1/environment-classes', {
    name: `${name}-class`,
    spec: { image: 'debian-12', virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 5 },
  })
  const environmentClassId = (await client.environmentClasses.list({})).items[0]?.metadata.id ?? ''
  await client.environments.create({ name: `${name}-machine`, spec: { projectId, environmentClassId } })
  await client.prebuilds.create({ spec: { projectId, environmentClassId } })
  await client.claims.create({ spec: { project: `${name}-project`, publicKey: newPublicKey() } })
  await post(url, administrator, `/v1/warm-pools/${warmPools[0]?.id}/tests`, {})
  await client.sessions.create({
    name: `${name}-session`,
    spec: { file: 'hearth.yaml', exitCondition: 'ci', ci: { timeoutSeconds: null }, detached: true },
  })
  await client.userSecrets.create({ spec: { variable: 'TOKEN', value: `${name}-value` } })
  await sendArtifact(url, administrator)
  const webApp = await client.webApps.create({
    name: `${name}-app`,
    spec: { environment: machine, runtime: 'nodejs' },
  })
  const zip = await appZip('[processes.web]\ncommand = "node server.js"\n')
  await deploy({ url, token: administrator }, webApp.status.spaceIds.uat, zip)
  await post(url, administrator, '/v1/observers', { name: `${name}-observer` })
  const runner = await client.runners.create({ name: `${name}-runner`, labels: {}, spec: {} })
  const token = async (role: Exclude<RoleName, 'administrator' | 'runner'>) =>
    (await client.tokens.create({ name: `${name}-${role}`, roles: [role] })).secret
  const tokens = {
    administrator,
    member: await token('member'),
    viewer: await token('viewer'),
    join: await token('join'),
    runner: runner.token,
  }
  // Requests use the last entry of each list: this token is not used by the test itself.
  await client.tokens.create({ name: `${name}-spare`, roles: ['viewer'] })

  const known = new Map<string, string>()
  const lastOf = async (list: string): Promise<string> => {
    const response = await fetch(url + list, { headers: { authorization: `Bearer ${administrator}` } })
    const id = idOf(lastItem(await response.json()))
    if (id === null) throw new Error(`${list} lists nothing: give ${name} one of them`)
    known.set(list, id)
    return id
  }
  const firstId = async (list: string) => known.get(list) ?? (await lastOf(list))
  const fill = async (path: string): Promise<string> => {
    const at = path.search(/\/\{\w+\}/)
    if (at < 0) return path
    const list = path.slice(0, at)
    // Tables are the program's, and listed nowhere.
    const isTable = /\/(?:in|e)gress$/.test(list)
    return fill(path.replace(/\{\w+\}/, isTable ? 'orders' : await firstId(list)))
  }
  return {
    organizationId: (await client.whoami()).organizationId,
    tokens,
    fill,
    idFor: (field) => firstId(listOf(field)),
  }
}

/** `environmentClassId` refers to one of `/v1/environment-classes`. */
function listOf(field: string): string {
  const word = field.replace(/Id$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (word === 'resource' || word === 'after') return '/v1/environments'
  return `/v1/${word}${word.endsWith('s') ? 'es' : 's'}`
}

function lastItem(list: unknown): unknown {
  const items = Object.values(list as object).find((value) => Array.isArray(value)) as unknown[] | undefined
  return items?.at(-1)
}

function idOf(item: unknown): string | null {
  const { id, uid, metadata, environment } = (item ?? {}) as Record<string, unknown>
  if (typeof id === 'string') return id
  if (typeof uid === 'string') return uid
  if (metadata !== undefined) return idOf(metadata)
  return environment === undefined ? null : idOf(environment)
}

async function sendArtifact(url: string, token: string): Promise<void> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from('processes.web = { command = "node server.js" }'), 'bentocloud.toml')
  zip.end()
  const response = await fetch(`${url}/v1/artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
    body: new Uint8Array(await buffer(zip.outputStream)),
  })
  if (response.status !== 201) throw new Error(`artifacts: ${response.status} ${await response.text()}`)
}

async function post(url: string, token: string, path: string, body: object): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`)
}

/** Every row that belongs to the organization, in every table, without the last use of a token. */
export async function rowsOf(databaseUrl: string, organizationId: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const tables = await client.query<{ table_name: string }>(
      `SELECT table_name FROM information_schema.columns
       WHERE column_name = 'organization_id' AND table_schema = 'public' ORDER BY table_name`,
    )
    const rows: Record<string, unknown> = {}
    for (const { table_name: table } of tables.rows) {
      const read = await client.query<{ row: object }>(
        `SELECT to_jsonb(t) - ARRAY['last_used_at', 'last_client', 'position'] AS row FROM ${table} t
         WHERE organization_id = $1 ORDER BY 1`,
        [organizationId],
      )
      rows[table] = read.rows.map(({ row }) => row)
    }
    return rows
  } finally {
    await client.end()
  }
}

export const unknownId = newId()
