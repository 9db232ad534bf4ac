import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appZip } from '../../system/app-zip.ts'
import { visit } from '../../system/browser.ts'
import { endCaddy } from '../../system/end-caddy.ts'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { type NameServer, startNameServer } from '../../system/name-server.ts'
import { visitSteadily } from '../../system/steady-visits.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { startWebGuest, type WebGuest } from '../../system/web-guest.ts'

/** Over HTTP, as Konigle's client for Python does it. */
let installation: Installation
let agent: SyntheticAgent
let names: NameServer
let guest: WebGuest
let port: number
const platform = { 'my-shop.apps.test': '127.0.0.1', 'my-shop-uat.apps.test': '127.0.0.1' }
beforeAll(async () => {
  installation = await startInstallation()
  names = await startNameServer(installation.folder, platform)
  guest = await startWebGuest()
  port = await freePort()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
    environment: {
      HEARTH_INGRESS_DOMAIN: 'apps.test',
      HEARTH_INGRESS_LISTEN: `127.0.0.1:${port}`,
      HEARTH_INGRESS_HTTP_LISTEN: 'none',
      HEARTH_DOMAIN_RESOLVER: names.address,
      HEARTH_SYNTHETIC_PORTS: `8080=127.0.0.1:${guest.port},8081=127.0.0.1:${guest.port}`,
    },
  })
  await eventually(async () => (await installation.client.runners.get('rack-1')).status.phase === 'active', {
    timeoutMilliseconds: 30_000,
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  if (agent) await endCaddy(agent.stateFolder)
  await names?.[Symbol.asyncDispose]()
  await guest?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests, not types, check the answers
  body: any
}

async function call(method: string, path: string, body?: object): Promise<Answer> {
  const isForm = body instanceof FormData
  const answer = await fetch(`${installation.url}/cloud/api/v1${path}`, {
    method,
    headers: {
      'X-Api-Key': installation.token,
      ...(isForm ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

/** `client.jobs.get(id)` until it is at its end. */
const untilOver = (id: string) =>
  eventually(
    async () => {
      const { body } = await call('GET', `/jobs/${id}`)
      return ['success', 'failed'].includes(body.status) && body
    },
    { timeoutMilliseconds: 60_000 },
  )

const serves = '\nsleep infinity\n'
async function deploy(space: string, more = '', name = 'first', command = serves): Promise<Answer> {
  const zip = await appZip(`[processes.web]\ncommand = ${JSON.stringify(command)}\nhttp = true\n${more}`, {
    // More than the body of any other request may have.
    'large.bin': randomBytes(2_000_000).toString('latin1'),
  })
  const form = new FormData()
  form.set('zip_file', new Blob([zip], { type: 'application/zip' }), 'app.zip')
  form.set('filename', 'app.zip')
  form.set('display_name', name)
  return call('POST', `/spaces/${space}/deploy`, form)
}

/** The certificate of the authority that vouches for all addresses. */
const authority = () =>
  readFileSync(join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')

let computer: string
let spaces: { uat: string; production: string }
let first: Answer['body']

test('a web app is made on a computer, with its two spaces', async () => {
  const made = await call('POST', '/computers/', {
    display_name: 'The shop',
    size: 'M',
    region: 'default',
    name: 'shop',
  })
  computer = made.body.id
  expect(await untilOver(made.body.job_id)).toMatchObject({ status: 'success' })
  const app = await call('POST', '/webapps/', {
    name: 'my-shop',
    computer_id: computer,
    runtime: 'python3',
    web_server: 'nginx',
    database: 'postgres',
    display_name: 'My shop',
  })
  expect(app).toMatchObject({
    status: 201,
    body: { name: 'my-shop', display_name: 'My shop', emoji: '', runtime: 'python3', computer },
  })
  expect(app.body.id).toMatch(/^[0-9]{30,39}$/)
  expect(await untilOver(app.body.job_id)).toMatchObject({ status: 'success', task_name: 'provision_webapp' })
  const listed = await call('GET', `/spaces?webapp_id=${app.body.id}&page=1&page_size=20`)
  expect(listed.body).toMatchObject({
    count: 2,
    payload: [
      { space_type: 'uat', webapp: app.body.id, custom_domain: '', custom_domain_status: 'unmapped' },
      { space_type: 'production', last_deployed_at: null, last_deployment_status: null },
    ],
  })
  spaces = { uat: listed.body.payload[0].id, production: listed.body.payload[1].id }
  expect((await call('GET', '/webapps')).body).toMatchObject({ count: 1, payload: [{ name: 'my-shop' }] })
  expect((await call('GET', `/webapps/${app.body.id}/`)).body).toMatchObject({
    database: 'postgres',
    cache: null,
  })
}, 90_000)

test('what cannot be made is refused with its field', async () => {
  const wanted = { name: 'other', computer_id: computer, runtime: 'python3', web_server: 'nginx' }
  const runtime = await call('POST', '/webapps', { ...wanted, runtime: 'php' })
  expect(runtime).toMatchObject({ status: 400, body: { runtime: [expect.stringContaining('nodejs')] } })
  const second = await call('POST', '/webapps', wanted)
  expect(second).toMatchObject({
    status: 409,
    body: {
      detail: expect.stringContaining('one web app'),
      errors: { computer_id: ['must be a machine that has no web app, got shop'] },
    },
  })
  const none = await call('POST', '/webapps', { ...wanted, computer_id: undefined })
  expect(none).toMatchObject({ status: 400, body: { computer_id: expect.any(Array) } })
  const more = await call('POST', '/computers', { display_name: 'More', size: 'S', region: 'default' })
  await untilOver(more.body.job_id)
  const taken = await call('POST', '/webapps', { ...wanted, name: 'my-shop', computer_id: more.body.id })
  expect(taken).toMatchObject({ status: 409, body: { name: [expect.stringContaining('no other web app')] } })
  const { body } = await call('GET', '/webapps')
  const app = `/webapps/${body.payload[0].id}`
  expect(await call('PATCH', app, { cache: 'redis' })).toMatchObject({
    status: 400,
    body: { cache: [expect.stringContaining('chosen when it is made')] },
  })
  const bare = await call('POST', '/webapps', { ...wanted, name: 'bare', computer_id: more.body.id })
  const database = await call('PATCH', `/webapps/${bare.body.id}`, { database: 'postgres' })
  expect(database).toMatchObject({
    status: 400,
    body: {
      database: [
        'must be none, since that of a web app is chosen when it is made: make another one beside bare, got postgres',
      ],
    },
  })
  await untilOver(bare.body.job_id)
  expect((await call('DELETE', `/webapps/${bare.body.id}`)).status).toBe(200)
  await eventually(async () => (await call('GET', '/webapps')).body.count === 1, {
    timeoutMilliseconds: 60_000,
  })
  const early = await call('POST', `/spaces/${spaces.uat}/promote`, {})
  expect(early).toMatchObject({
    status: 409,
    body: { detail: 'nothing is deployed in space my-shop-uat: deploy to it before it is promoted' },
  })
  expect((await call('GET', '/spaces/123')).status).toBe(404)
}, 90_000)

test('a ZIP is deployed to uat; one that is wrong is refused with what is missing, one that fails is told by its job', async () => {
  const made = await deploy(spaces.uat)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  first = made.body
  expect(first).toMatchObject({ display_name: 'first', space_id: spaces.uat, job: { id: first.job_id } })
  expect(first.id).toMatch(/^[0-9a-f-]{36}$/)
  expect(await untilOver(first.job_id)).toMatchObject({ status: 'success', task_name: 'deploy_space' })
  expect((await call('GET', `/spaces/${spaces.uat}`)).body).toMatchObject({
    status: 'running',
    last_deployment_status: 'success',
    last_deployed_at: expect.any(String),
  })
  const form = new FormData()
  form.set('zip_file', new Blob([new Uint8Array(20)]), 'app.zip')
  const refused = await call('POST', `/spaces/${spaces.uat}/deploy/`, form)
  expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('ZIP') } })
  const failing = await deploy(spaces.uat, '[deploy]\nrelease_commands = ["\\nexit 3\\n"]', 'failing')
  const job = await untilOver(failing.body.job_id)
  expect(job.status).toBe('failed')
  expect((await call('GET', `/spaces/${spaces.uat}`)).body).toMatchObject({
    status: 'running',
    last_deployment_status: 'failed',
  })
}, 90_000)

test('what uat has is promoted; a space goes back to the release before; cron jobs and variables are kept', async () => {
  const promoted = await call('POST', `/spaces/${spaces.uat}/promote`, { display_name: 'to all' })
  expect(promoted).toMatchObject({
    status: 201,
    body: { space_id: spaces.production, display_name: 'to all' },
  })
  expect((await untilOver(promoted.body.job_id)).status).toBe('success')
  const second = await deploy(spaces.uat, '[processes.worker]\ncommand = "\\nsleep infinity\\n"', 'second')
  expect((await untilOver(second.body.job_id)).status).toBe('success')
  const back = await call('POST', `/spaces/${spaces.uat}/rollback`, {})
  expect(back.status, JSON.stringify(back.body)).toBe(201)
  expect((await untilOver(back.body.job_id)).status).toBe('success')
  const changed = await call('PATCH', `/spaces/${spaces.uat}`, {
    variables: { STAGE: 'uat' },
    cron_jobs: [{ name: 'nightly', schedule: '0 3 * * *', command: 'python3 nightly.py' }],
  })
  expect(changed.status, JSON.stringify(changed.body)).toBe(200)
  const wrong = await call('PATCH', `/spaces/${spaces.uat}`, {
    cron_jobs: [{ name: 'x', schedule: 'never', command: 'x' }],
  })
  expect(wrong).toMatchObject({
    status: 400,
    body: { errors: { 'cron_jobs.0.schedule': [expect.any(String)] } },
  })
}, 120_000)

test('of 20 requests a second none is lost while a deployment fails, one takes over, is promoted, and is gone back from', async () => {
  const visits = await Promise.all(
    [spaces.uat, spaces.production].map(async (space) => {
      const { platform_domain: name } = (await call('GET', `/spaces/${space}`)).body
      return visitSteadily(`https://${name}:${port}/`, authority())
    }),
  )
  using _ = {
    [Symbol.dispose]() {
      for (const steady of visits) steady[Symbol.dispose]()
    },
  }
  const failing = await deploy(spaces.uat, '[processes.worker]\ncommand = "\\nexit 1\\n"\n', 'does not stay')
  expect((await untilOver(failing.body.job_id)).status).toBe('failed')
  const third = await deploy(spaces.uat, '', 'third')
  expect((await untilOver(third.body.job_id)).status).toBe('success')
  for (const path of [`/spaces/${spaces.uat}/promote`, `/spaces/${spaces.uat}/rollback`]) {
    const { status, body } = await call('POST', path, {})
    expect(status, JSON.stringify(body)).toBe(201)
    expect((await untilOver(body.job_id)).status).toBe('success')
  }
  for (const answers of await Promise.all(visits.map((steady) => steady.end()))) {
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(answers.length).toBeGreaterThan(20)
  }
}, 120_000)

test('a space has a domain of its own, pending until its name leads here, and a field error for what is none', async () => {
  const space = `/spaces/${spaces.production}`
  expect(await call('PATCH', space, { custom_domain: 'no domain' })).toMatchObject({
    status: 400,
    body: { custom_domain: [expect.any(String)] },
  })
  const given = await call('PATCH', space, { custom_domain: 'shop.example.test' })
  expect(given).toMatchObject({
    status: 200,
    body: { custom_domain: 'shop.example.test', custom_domain_status: 'pending' },
  })
  await names.set({ ...platform, 'shop.example.test': '127.0.0.1' })
  const shown = await eventually(
    async () => {
      const { body } = await call('GET', space)
      return body.custom_domain_status === 'active' && body
    },
    { timeoutMilliseconds: 60_000 },
  )
  expect(shown).toMatchObject({ custom_domain: 'shop.example.test', platform_domain: 'my-shop.apps.test' })
  expect((await visit(`https://shop.example.test:${port}/`, authority())).status).toBe(200)
  const taken = await call('PATCH', `/spaces/${spaces.uat}`, { custom_domain: 'shop.example.test' })
  expect(taken).toMatchObject({ status: 409, body: { detail: expect.stringContaining('route my-shop') } })
  expect((await call('GET', `/spaces/${spaces.uat}`)).body.custom_domain).toBe('')
  // It is its route's: who gives that another one gives the space another one.
  const { status } = await installation.client.spaces.get('my-shop-production')
  await installation.client.routes.update(status.routeId ?? '', {
    spec: { customDomain: 'store.example.test' },
  })
  await eventually(async () => (await call('GET', space)).body.custom_domain === 'store.example.test', {
    timeoutMilliseconds: 30_000,
  })
  expect((await call('PATCH', space, { custom_domain: '' })).body).toMatchObject({
    custom_domain: '',
    custom_domain_status: 'unmapped',
  })
})

test('a web app is destroyed with its spaces', async () => {
  const { body } = await call('GET', '/webapps')
  expect((await call('DELETE', `/webapps/${body.payload[0].id}`)).status).toBe(200)
  await eventually(async () => (await call('GET', '/webapps')).body.count === 0, {
    timeoutMilliseconds: 60_000,
  })
  expect((await call('GET', `/spaces/${spaces.uat}`)).status).toBe(404)
}, 90_000)
