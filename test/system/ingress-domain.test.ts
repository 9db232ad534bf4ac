import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import type { Route } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { visit } from './browser.ts'
import { hearth } from './command.ts'
import { endCaddy } from './end-caddy.ts'
import { until, untilEnvironment } from './following.ts'
import { newOrganization } from './hostile-party.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type NameServer, startNameServer } from './name-server.ts'
import { startWebGuest, type WebGuest } from './web-guest.ts'

/** Host names of one's own, with a real name server and Caddy's own authority. */
const domain = 'shop.example.test'
const platform = { 'shop.apps.test': '127.0.0.1' }
let installation: Installation
let names: NameServer
let agent: AgentProcess
let guest: WebGuest
let ca: string
let port: number
let plainPort: number

beforeAll(async () => {
  installation = await startInstallation()
  guest = await startWebGuest()
  names = await startNameServer(installation.folder, platform)
  port = await freePort()
  plainPort = await freePort()
  agent = await startAgentProcess(installation, 'rack-1', {
    HEARTH_INGRESS_DOMAIN: 'apps.test',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${port}`,
    HEARTH_INGRESS_HTTP_LISTEN: `127.0.0.1:${plainPort}`,
    HEARTH_DOMAIN_RESOLVER: names.address,
    HEARTH_SYNTHETIC_PORTS: `3000=127.0.0.1:${guest.port}`,
  })
  const { client } = installation
  const project = await client.projects.create({ name: 'shop', spec: {} })
  const environmentClassId = (await client.environmentClasses.get('small')).metadata.id
  const { metadata } = await client.environments.create({
    name: 'shop-1',
    spec: { projectId: project.metadata.id, environmentClassId },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  ca = readFileSync(join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  if (agent) await endCaddy(agent.stateFolder)
  await names?.[Symbol.asyncDispose]()
  await guest?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const spec = { environment: 'shop-1', port: 3_000, access: 'public' } as const
const untilDomain = (id: string, wanted: (domain: Route['status']['domain']) => boolean) =>
  until(
    installation.client,
    'the domain',
    () => installation.client.routes.get(id),
    ({ status }) => wanted(status.domain),
  )

test('a domain is pending with what is wrong, and active when it leads to the proxy and has its certificate', async () => {
  const { client } = installation
  const { metadata } = await client.routes.create({ name: 'shop', spec })
  const given = await hearth(installation, 'domain', 'shop', domain)
  expect(given.stdout).toContain(`make ${domain} a CNAME of shop.apps.test`)
  await untilDomain(metadata.id, (seen) => seen?.cause?.includes('does not resolve') === true)
  await names.set({ ...platform, [domain]: '127.9.9.9' })
  const pending = await untilDomain(metadata.id, (seen) => seen?.cause?.includes('127.9.9.9') === true)
  expect(pending.status.domain).toMatchObject({
    state: 'pending',
    cause: `${domain} leads to 127.9.9.9: make it a CNAME of shop.apps.test, which is at 127.0.0.1`,
  })
  const why = await hearth(installation, 'why', 'route', 'shop')
  expect(why.stdout).toContain(`${domain} does not yet: ${domain} leads to 127.9.9.9`)
  await names.set({ ...platform, [domain]: '127.0.0.1' })
  await untilDomain(metadata.id, (seen) => seen?.state === 'active')
  const seen = await visit(`https://${domain}:${port}/a?b=1`, ca)
  expect(seen.status).toBe(200)
  expect(JSON.parse(seen.body)).toMatchObject({
    url: '/a?b=1',
    headers: { 'x-forwarded-host': expect.stringContaining(domain) },
  })
  expect((await visit(`https://shop.apps.test:${port}/`, ca)).status).toBe(200)
  expect(await sentOn(domain, '/a?b=1')).toBe(`https://${domain}:${port}/a?b=1`)
  expect(await sentOn('nobody.example.test', '/')).toBeUndefined()
})

test('a domain is one route’s alone, and none of the platform’s own names', async () => {
  const { client } = installation
  const other = { name: 'other', spec: { ...spec, customDomain: domain } }
  await expect(client.routes.create(other)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('belongs to route shop'),
  })
  for (const customDomain of ['x.apps.test', 'apps.test', 'Shop.example.test', 'localhost', '10.0.0.1'])
    await expect(
      client.routes.create({ ...other, spec: { ...spec, customDomain } }),
      customDomain,
    ).rejects.toMatchObject({ code: 'invalid' })
  await expect(visit(`https://nobody.example.test:${port}/`, ca)).rejects.toThrow('alert internal error')
})

test('one that is taken away is not served any more, and another organization may have it then', async () => {
  const { client } = installation
  const stranger = await strangersMachine()
  await expect(stranger()).rejects.toMatchObject({
    code: 'conflict',
    message: `the domain ${domain} belongs to another organization: take it away there first`,
  })
  const { metadata } = await client.routes.get('shop')
  const changed = await client.routes.update(metadata.id, { spec: { customDomain: null } })
  expect(changed.status.domain).toBeNull()
  await until(
    client,
    'the route',
    () => client.routes.get(metadata.id),
    ({ status }) => status.phase === 'active',
  )
  expect((await visit(`https://${domain}:${port}/`, ca)).status).toBe(404)
  expect((await stranger()).status.domain?.state).toBe('pending')
})

/** A machine of another organization, and how that asks for the domain. */
async function strangersMachine(): Promise<() => Promise<Route>> {
  const token = await newOrganization(installation, 'strangers')
  const own = new HearthClient({ url: installation.url, token })
  const project = await own.projects.create({ name: 'theirs', spec: {} })
  const kind = await own.environmentClasses.get('small')
  const { metadata } = await own.environments.create({
    name: 'theirs-1',
    spec: { projectId: project.metadata.id, environmentClassId: kind.metadata.id },
  })
  return () =>
    own.routes.create({
      name: 'mine',
      spec: { environment: metadata.name, port: 80, access: 'public', customDomain: domain },
    })
}

/** Where plain HTTP is sent on to. */
function sentOn(host: string, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: plainPort, path, headers: { host } }, (answer) => {
      answer.resume()
      resolve(answer.headers.location)
    })
    sent.on('error', reject)
    sent.end()
  })
}
