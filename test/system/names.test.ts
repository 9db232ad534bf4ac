import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HearthClient } from '@hearth/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: AsyncDisposable
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1', timings: { heartbeat: 200 } })
})
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const program = join(import.meta.dirname, '../../packages/cli/src/main.ts')
async function hearth(...words: string[]): Promise<string> {
  const { url, token, folder } = installation
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, ...words], {
    env: { ...process.env, HEARTH_URL: url, HEARTH_TOKEN: token, HEARTH_STATE: folder },
  })
  return stdout
}

test('a claim is shown, explained and released by its name, and keeps it', async () => {
  const { client } = installation
  const declaration = { apiVersion: 'hearth/v1' as const, name: 'shop', warmPools: [{ min: 1 }] }
  const { warmPools } = await client.apply(declaration)
  const poolId = warmPools[0]?.id ?? ''
  const pool = await untilPool(client, poolId, ({ status }) => status.ready === 1)
  const claim = await client.claims.create({ spec: { warmPoolId: poolId, publicKey: newPublicKey() } })
  const { id, name } = claim.metadata
  const environment = await client.environments.get(claim.status.environmentId ?? '')
  const machine = environment.metadata.name

  const listed = await hearth('get', 'claims')
  expect(listed).toMatch(
    new RegExp(`^${name} +bound +running +${pool.metadata.name} +${machine} .*${id}$`, 'm'),
  )
  expect(await hearth('get', 'environments', '--pool', pool.metadata.name)).toMatch(
    new RegExp(`^${machine} .* ${name} `, 'm'),
  )
  expect(await hearth('pool', 'instances', pool.metadata.name)).toMatch(
    new RegExp(`^${machine} .* ${name} `, 'm'),
  )
  expect(await hearth('describe', 'claim', name)).toContain(id)
  expect(await hearth('describe', 'environment', machine)).toMatch(new RegExp(`^Claim: +${name}$`, 'm'))
  expect(await hearth('why', name)).toContain(`claim ${name} is bound`)
  expect(await hearth('delete', 'claim', name)).toContain(`claim ${name} is being deleted`)
  await untilEnvironment(client, environment.metadata.id, ({ status }) => status.phase === 'deleted')
  expect(await hearth('why', name)).toContain(`claim ${name} is released`)
  expect((await client.environments.get(machine)).status.phase).toBe('deleted')
  await client.projects.delete('shop')
}, 120_000)

test('of several environments with one name the live one is meant, else the newest; of two live ones none is chosen', async () => {
  const { client } = installation
  const { metadata: project } = await client.projects.create({ name: 'site', spec: {} })
  const { metadata: size } = await client.environmentClasses.get('small')
  const make = () =>
    client.environments.create({
      name: 'site-test',
      spec: { projectId: project.id, environmentClassId: size.id },
    })
  const first = await make()
  await client.environments.delete('site-test')
  await untilEnvironment(client, first.metadata.id, ({ status }) => status.phase === 'deleted')
  const second = await make()
  expect((await client.environments.get('site-test')).metadata.id).toBe(second.metadata.id)
  const third = await make()
  await expect(client.environments.retry('site-test')).rejects.toMatchObject({
    code: 'conflict',
    message: `several environments are called site-test: give the id of the one you mean, ${third.metadata.id}, ${second.metadata.id}`,
  })
  await client.environments.delete(second.metadata.id, { force: true })
  expect((await client.environments.get('site-test')).metadata.id).toBe(third.metadata.id)
  await client.environments.delete(third.metadata.id, { force: true })
  expect((await client.environments.get('site-test')).metadata.id).toBe(third.metadata.id)
  await expect(client.environments.get('site-absent')).rejects.toMatchObject({
    code: 'not_found',
    message: 'there is no environment site-absent',
  })
})

test('observers and tokens are deleted by name', async () => {
  const { client } = installation
  await client.observers.create({ name: 'billing' })
  expect(await hearth('observer', 'delete', 'billing')).toBe('observer billing deleted\n')
  await client.tokens.create({ name: 'ci', roles: ['viewer'] })
  expect(await hearth('token', 'delete', 'ci')).toBe('token ci deleted\n')
  await expect(client.tokens.delete('ci')).rejects.toMatchObject({ code: 'not_found' })
})

test('an organization is shown by its name, one’s own or, for people of the first, any; a stranger’s is not there', async () => {
  const { client, url } = installation
  const made = await client.organizations.create({ name: 'annex', spec: { displayName: 'Annex' } })
  const stranger = new HearthClient({ url, token: made.token })
  const { id, name } = made.organization.metadata
  expect(await hearth('describe', 'organization', name)).toContain(id)
  expect((await stranger.organizations.get(name)).metadata.id).toBe(id)
  const changed = await stranger.organizations.update(name, { labels: { floor: '2' } })
  expect(changed.metadata.labels).toEqual({ floor: '2' })
  const { organizationId } = await client.whoami()
  const first = await client.organizations.get(organizationId)
  for (const reference of [organizationId, first.metadata.name]) {
    await expect(stranger.organizations.get(reference)).rejects.toMatchObject({ code: 'not_found' })
  }
}, 60_000)
