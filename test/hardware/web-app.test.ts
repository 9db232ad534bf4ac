import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { WebApp } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { visit } from '../system/browser.ts'
import { hearth } from '../system/command.ts'
import { counted, visitSteadily } from '../system/steady-visits.ts'
import {
  type Change,
  deployed,
  type Example,
  patienceMilliseconds,
  untilDeployed,
  untilNoWebApp,
  untilWebApp,
  zipOf,
} from './apps.ts'
import { openPage } from './chromium.ts'
import { type HardwareHost, startHost } from './host.ts'
import { offerImage } from './images.ts'
import { untilEnvironment, untilProvisioned } from './waiting.ts'

/** Two web apps, one after the other, on one guest: from its archive to the browser. */
let host: HardwareHost
let client: HearthClient
let environmentId: string
let ca: string
let board: WebApp

beforeAll(async () => {
  host = await startHost()
  ;({ client } = host)
  await offerImage(host.imagesFolder, 'debian-12-web')
  const agent = await host.startAgent('web-apps', {
    HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort()}`,
    HEARTH_INGRESS_HTTP_LISTEN: 'none',
    HEARTH_INGRESS_STOPS: 'true',
  })
  const size = { virtualCpus: 2, memoryMebibytes: 1_024, diskGibibytes: 4 }
  const made = await client.environmentClasses.create({
    name: 'web',
    labels: {},
    spec: { ...size, image: 'debian-12-web' },
  })
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'apps' })
  const { metadata } = await client.environments.create({
    name: 'apps',
    spec: { projectId, environmentClassId: made.metadata.id },
  })
  environmentId = metadata.id
  expect((await untilProvisioned(client, environmentId)).status.phase).toBe('running')
  ca = readFileSync(join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')
}, 600_000)
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
})

/** Seen by a browser that tries again for as long as the machine wakes up. */
async function untilSeen(address: string, text: string): Promise<string> {
  let body = ''
  const seen = async () => {
    ;({ body } = await visit(address, ca))
    return body.includes(text)
  }
  await eventually(seen, { timeoutMilliseconds: patienceMilliseconds, intervalMilliseconds: 500 })
  return body
}

async function createApp(name: string, runtime: 'python3' | 'nodejs'): Promise<WebApp> {
  const app = await client.webApps.create({
    name,
    spec: { environment: environmentId, runtime, database: 'postgres', cache: 'redis' },
  })
  return untilWebApp(client, app, ({ status }) => status.phase !== 'provisioning')
}

async function bring(app: WebApp, type: 'uat' | 'production', example: Example, change?: Change) {
  return deployed(host.installation, app.status.spaceIds[type], await zipOf(example, change))
}

async function addressOf(app: WebApp, type: 'uat' | 'production'): Promise<string> {
  const { status } = await client.spaces.get(app.status.spaceIds[type])
  return status.url ?? ''
}

const succeeded = { status: { phase: 'succeeded', failure: null, isCurrent: true } }

/** Another version of the board. npm, which is slow in an emulated guest, has nothing to install for it. */
const version =
  (number: number, more: Change = () => ({})): Change =>
  ({ 'package-lock.json': _, ...files }) => ({
    ...files,
    'board.js': (files['board.js'] ?? '').replace("version = '1'", `version = '${number}'`),
    ...more(files),
  })

/** A pace that an emulated guest keeps up with beside its deployments. */
const visitsPerSecond = 5

it('a Node.js app is deployed, keeps its data in PostgreSQL and Redis, and is used in a browser by its name', async () => {
  board = await createApp('board', 'nodejs')
  expect(board.status).toMatchObject({ phase: 'ready', failure: null })
  const address = await addressOf(board, 'uat')
  expect(await visit(address, ca)).toMatchObject({
    status: 503,
    body: expect.stringContaining('Nothing is deployed here yet'),
  })
  expect(await bring(board, 'uat', 'node-board')).toMatchObject(succeeded)
  await using opened = await openPage(ca)
  const { page } = opened
  await page.goto(address)
  expect(await page.textContent('h1')).toBe('The board, version 1, in uat')
  await page.fill('input[name=text]', 'buy a <b>hammer</b>')
  await page.click('button')
  await page.waitForSelector('li')
  expect(await page.textContent('li')).toBe('buy a <b>hammer</b>')
  expect(await page.textContent('#visits')).toBe('Visit 2')
})

it('no request is lost while a release takes over, nor while one fails', async () => {
  const address = await addressOf(board, 'uat')
  using visits = visitSteadily(`${address}/version`, ca, visitsPerSecond)
  // Its release commands look for what should be out of their reach as well.
  const reaching = version(2, (files) => ({
    'bentocloud.toml': (files['bentocloud.toml'] ?? '').replace(
      '"node migrate.js"',
      '"node migrate.js", "python3 reach.py"',
    ),
    'reach.py': readFileSync(join(import.meta.dirname, 'reach.py'), 'utf8'),
  }))
  const second = await bring(board, 'uat', 'node-board', reaching)
  const unable = version(3, () => ({ 'migrate.js': "throw new Error('the tables cannot be changed')\n" }))
  const failing = await bring(board, 'uat', 'node-board', unable)
  const answers = await visits.end()
  expect(second).toMatchObject(succeeded)
  expect(failing.status).toMatchObject({ phase: 'failed', isCurrent: false })
  expect(Object.keys(counted(answers)).sort()).toEqual(['200 1', '200 2'])
  expect((await visit(`${address}/version`, ca)).body).toBe('2')
})

it('what uat has is promoted to production, whose data are its own; uat goes back to the release before', async () => {
  const promoted = await client.spaces.promote(board.status.spaceIds.uat)
  expect(await untilDeployed(client, promoted)).toMatchObject(succeeded)
  const production = await visit(await addressOf(board, 'production'), ca)
  expect(production.body).toContain('The board, version 2, in production')
  expect(production.body).not.toContain('hammer')
  const address = await addressOf(board, 'uat')
  using visits = visitSteadily(`${address}/version`, ca, visitsPerSecond)
  const rolledBack = await untilDeployed(client, await client.spaces.rollback(board.status.spaceIds.uat))
  const answers = await visits.end()
  expect(rolledBack).toMatchObject(succeeded)
  expect(Object.keys(counted(answers)).sort()).toEqual(['200 1', '200 2'])
  expect((await visit(address, ca)).body).toContain('hammer')
})

it('after its machine was stopped and started, both spaces are back with their data', async () => {
  await client.environments.update(environmentId, { spec: { desiredPhase: 'stopped' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'stopped')
  await client.environments.update(environmentId, { spec: { desiredPhase: 'running' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'running')
  // From the web server's start on, no request goes to whoever has the address of one of its processes outside.
  const { status, stderr } = await hearth(
    host.installation,
    ...['exec', 'apps', '--', 'sh', '-c', 'systemctl start nginx.service && ip route get 10.213.255.254'],
  )
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('No route to host') })
  expect(await untilSeen(await addressOf(board, 'uat'), 'version 1, in uat')).toContain('hammer')
  await untilSeen(await addressOf(board, 'production'), 'version 2, in production')
})

it('a Python app takes the place of the Node.js app on the same machine', async () => {
  await client.webApps.delete(board.metadata.id)
  await untilNoWebApp(client, environmentId)
  const shop = await createApp('shop', 'python3')
  expect(await bring(shop, 'uat', 'flask-shop')).toMatchObject(succeeded)
  await using opened = await openPage(ca)
  const { page } = opened
  await page.goto(await addressOf(shop, 'uat'))
  expect(await page.textContent('h1')).toBe('The shop, version 1, in uat')
  await page.fill('input[name=item]', 'a nail')
  await page.click('button')
  await page.waitForSelector('li')
  expect(await page.textContent('li')).toBe('a nail')
  expect(await page.textContent('#visits')).toBe('Visit 2')
})
