import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AcmeAuthority, startAcmeAuthority } from './acme-authority.ts'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { visit } from './browser.ts'
import { endCaddy } from './end-caddy.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { startWebGuest, type WebGuest } from './web-guest.ts'

/** Certificates of an authority that checks the names itself, on the fixed ports for that: an address of its own has them free. */
const reached = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.2`
const isRoot = process.getuid?.() === 0

let installation: Installation
let authority: AcmeAuthority
let agent: AgentProcess
let guest: WebGuest

beforeAll(async () => {
  if (!isRoot) return
  installation = await startInstallation()
  guest = await startWebGuest()
  const names = ['shop.apps.test', 'nobody.apps.test']
  const hosts = Object.fromEntries(names.map((name) => [name, reached]))
  authority = await startAcmeAuthority(join(installation.folder, 'authority'), hosts)
  agent = await startAgentProcess(installation, 'rack-1', {
    HEARTH_INGRESS_DOMAIN: 'apps.test',
    HEARTH_INGRESS_LISTEN: `${reached}:443`,
    HEARTH_INGRESS_HTTP_LISTEN: `${reached}:80`,
    HEARTH_INGRESS_AUTHORITY: 'acme',
    HEARTH_INGRESS_ACME_DIRECTORY: authority.directory,
    HEARTH_INGRESS_ACME_ROOT: authority.rootPath,
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
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  if (agent) await endCaddy(agent.stateFolder)
  await authority?.[Symbol.asyncDispose]()
  await guest?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const go = (url: string) => visit(url, readFileSync(authority.rootPath, 'utf8'), { reached })

test.runIf(isRoot)('a route has a certificate of an ACME authority on its first request', async () => {
  const { client } = installation
  const { metadata } = await client.routes.create({
    name: 'shop',
    spec: { environment: 'shop-1', port: 3_000, access: 'public' },
  })
  const { status } = await until(
    client,
    'the route',
    () => client.routes.get(metadata.id),
    (route) => route.status.phase === 'active',
  )
  expect(status.url).toBe('https://shop.apps.test')
  expect(await go('https://shop.apps.test/a')).toMatchObject({ status: 200 })
  expect(await go('https://shop.apps.test/b')).toMatchObject({ status: 200 })
})

test.runIf(isRoot)('no certificate is asked for where no route has the host name', async () => {
  await expect(go('https://nobody.apps.test/')).rejects.toThrow('alert internal error')
})
