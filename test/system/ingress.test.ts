import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { HearthClient } from '@hearth/client'
import type { Route } from '@hearth/contract'
import { freePort } from '@hearth/embedded'
import { eventually as wait } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentProcess, startAgentProcess } from './agent-process.ts'
import { upgrade, type Visit, visit } from './browser.ts'
import { hearth as run } from './command.ts'
import { endCaddy } from './end-caddy.ts'
import { until, untilEnvironment } from './following.ts'

import { newOrganization } from './hostile-party.ts'
import { type Installation, startInstallation } from './installation.ts'
import { startWebGuest, type WebGuest } from './web-guest.ts'

/** Routes with the shipped agent, a real Caddy, and a real server in the place of a guest's. */
let installation: Installation
let agent: AgentProcess
let guest: WebGuest
let environmentId: string
let ca: string
const machine = 'shop-1'

const eventually = <Value>(look: () => Promise<Value | null>) => wait(look, { timeoutMilliseconds: 60_000 })

beforeAll(async () => {
  installation = await startInstallation()
  guest = await startWebGuest()
  const [https, http, nobody] = [await freePort(), await freePort(), await freePort()]
  agent = await startAgentProcess(installation, 'rack-1', {
    HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${https}`,
    HEARTH_INGRESS_HTTP_LISTEN: `127.0.0.1:${http}`,
    HEARTH_SYNTHETIC_RESUME_MILLISECONDS: '5',
    HEARTH_SYNTHETIC_PORTS: `3000=127.0.0.1:${guest.port},4000=127.0.0.1:${nobody}`,
  })
  environmentId = await makeMachine(installation.client, machine)
  ca = readFileSync(join(agent.stateFolder, 'ingress/data/pki/authorities/local/root.crt'), 'utf8')
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  // It outlives the agent.
  if (agent) await endCaddy(agent.stateFolder)
  await guest?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

async function makeMachine(client: HearthClient, name: string, life: object = {}): Promise<string> {
  const project = await client.projects.create({ name: `of-${name}`, spec: {} })
  const environmentClassId = (await client.environmentClasses.get('small')).metadata.id
  const { metadata } = await client.environments.create({
    name,
    spec: { projectId: project.metadata.id, environmentClassId, life },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  return metadata.id
}

const hearth = (...words: string[]) => run(installation, ...words)
const untilRoute = (id: string, wanted: (route: Route) => boolean) =>
  until(installation.client, 'the route', () => installation.client.routes.get(id), wanted)
const go = (url: string, how: Visit = {}) => visit(url, ca, how)
const told = (body: string) =>
  JSON.parse(body) as { method: string; url: string; headers: Record<string, string>; body: string }

async function expose(name: string, access: 'private' | 'token' | 'public', port = 3_000) {
  const { client } = installation
  const { metadata } = await client.routes.create({ name, spec: { environment: machine, port, access } })
  const { status } = await untilRoute(metadata.id, (route) => route.status.phase === 'active')
  return { id: metadata.id, url: status.url ?? '' }
}

/** Every name is this machine. */
function lookedUp(options: unknown, done: (error: null, address: never, family?: number) => void): void {
  const isAll = typeof options === 'object' && options !== null && 'all' in options && options.all === true
  if (isAll) done(null, [{ address: '127.0.0.1', family: 4 }] as never)
  else done(null, '127.0.0.1' as never, 4)
}

test('`hearth expose` gives an address at once, and `hearth open` lets a member’s browser in', async () => {
  const exposed = await hearth('expose', machine, '3000', '-o', 'json')
  expect(exposed, exposed.stderr).toMatchObject({ status: 0 })
  const route = JSON.parse(exposed.stdout) as Route
  const url = route.status.url ?? ''
  expect(url).toMatch(/^https:\/\/web-shop-1\.hearth\.localhost:\d+$/)
  const stranger = await go(`${url}/a`, { headers: { accept: 'text/html' } })
  expect(stranger.status).toBe(401)
  expect(stranger.body).toContain('hearth open web-shop-1')
  const opened = JSON.parse((await hearth('open', 'web-shop-1', '-o', 'json')).stdout) as { url: string }
  const entered = await go(opened.url)
  expect(entered).toMatchObject({ status: 303, headers: { location: '/' } })
  expect(entered.headers['set-cookie']?.[0]).toMatch(
    /^__Host-hearth=.+; Path=\/; Max-Age=28\d{3}; HttpOnly; Secure; SameSite=Lax$/,
  )
  const seen = await go(`${url}/a?b=1`, { headers: { cookie: `mine=1; ${entered.cookie}` } })
  expect(seen.status).toBe(200)
  expect(told(seen.body)).toMatchObject({ method: 'GET', url: '/a?b=1', headers: { cookie: 'mine=1' } })
  // It serves once.
  expect((await go(opened.url)).status).toBe(403)
  const why = await hearth('why', 'route', 'web-shop-1')
  expect(why.stdout).toContain('leads to port 3000 of environment shop-1, for members of the organization')
})

test('who was let in is out within seconds when their token is revoked', async () => {
  const { client, url } = installation
  const route = await expose('revoked', 'private')
  const { secret, id } = await client.tokens.create({ name: 'guest', roles: ['viewer'] })
  const ticket = await new HearthClient({ url, token: secret }).routes.ticket(route.id)
  const { cookie } = await go(ticket.url)
  expect((await go(route.url, { headers: { cookie } })).status).toBe(200)
  const open = await upgrade(`${route.url}/socket`, ca, { cookie })
  await client.tokens.delete(id)
  await eventually(async () => ((await go(route.url, { headers: { cookie } })).status === 401 ? true : null))
  await open.closed
})

test('a token of the route lets in, and is not shown to the guest', async () => {
  const route = await expose('api', 'token')
  const first = await installation.client.routes.token(route.id)
  await eventually(async () =>
    (await go(route.url, { headers: { authorization: `Bearer ${first.token}` } })).status === 200
      ? true
      : null,
  )
  const posted = await go(`${route.url}/up`, {
    method: 'POST',
    headers: { authorization: `Bearer ${first.token}` },
    body: 'x'.repeat(300_000),
  })
  expect(told(posted.body).body).toHaveLength(300_000)
  expect(told(posted.body).headers.authorization).toBeUndefined()
  const entered = await go(`${first.url}&a=1`)
  expect(entered).toMatchObject({ status: 303, headers: { location: '/?a=1' } })
  expect((await go(route.url, { headers: { cookie: entered.cookie } })).status).toBe(200)
  expect((await go(route.url, { headers: { authorization: 'Bearer hearthroute_no' } })).status).toBe(401)
  // Another token ends the first, and what it let in.
  await installation.client.routes.token(route.id)
  await eventually(async () =>
    (await go(route.url, { headers: { cookie: entered.cookie } })).status === 401 ? true : null,
  )
})

test('what a client says of itself reaches no guest, and other host names none of them', async () => {
  const { url } = await expose('open', 'public')
  const spoofed = await go(url, {
    headers: {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil.example',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      x_forwarded_for: '6.6.6.6',
      'x-forwarded_for': '6.6.6.6',
      connection: 'x-forwarded-for, cookie, x-hearth-host',
      'x-hearth-upstream': '127.0.0.1:22',
      'x-hearth-uri': '/other',
      authorization: 'Bearer my-own',
    },
  })
  const { headers, url: path } = told(spoofed.body)
  expect(path).toBe('/')
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    authorization: 'Bearer my-own',
  })
  expect(headers['x-forwarded-host']).not.toContain('evil')
  expect(JSON.stringify(headers)).not.toContain('6.6.6.6')
  expect(Object.keys(headers).filter((name) => name.startsWith('x-hearth'))).toEqual([])
  for (const host of ['evil.example', 'nobody.hearth.localhost', 'open.hearth.localhost.evil.example'])
    expect((await go(url, { host })).status, host).toBe(404)
})

test('requests that two servers could read differently are refused before a guest sees them', async () => {
  const { url } = await expose('strict', 'public')
  const both = await go(url, {
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked, identity' },
  }).then(
    ({ status }) => status,
    () => 400,
  )
  expect(both).toBeGreaterThanOrEqual(400)
  expect(
    (await go(`${url}/`, { headers: { large: 'x'.repeat(70_000) } }).catch(() => ({ status: 431 }))).status,
  ).toBe(431)
})

test('HTTP/2 is spoken with browsers, and what waits holds up nothing else', async () => {
  const { url } = await expose('second', 'public')
  const session = connect(url, { ca, lookup: (_, options, done) => lookedUp(options, done) })
  const get = (path: string) =>
    new Promise<string>((resolve, reject) => {
      const stream = session.request({ ':path': path })
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => resolve(Buffer.concat(chunks).toString()))
      stream.on('error', reject)
    })
  const waits = get('/stream')
  expect(told(await get('/a'))).toMatchObject({ method: 'GET', url: '/a' })
  await eventually(async () => ((await get('/second')) === '' ? null : true))
  expect(await waits).toContain('data: second')
  session.close()
})

test('streams come through piece by piece', async () => {
  const { url } = await expose('streaming', 'public')
  const stream = go(`${url}/stream`)
  // Its second piece is only sent after the first was: a proxy that collects would hang here.
  await eventually(async () => ((await go(`${url}/second`)).status === 200 ? true : null))
  expect((await stream).body).toBe('data: first\n\ndata: second\n\n')
})

test('a stream that its reader leaves is left in the machine too, which would not rest otherwise', async () => {
  const { url } = await expose('abandoned', 'public')
  const [reader, left, leaving] = [guest.next('reader'), guest.next('left'), new AbortController()]
  const stream = expect(go(`${url}/stream`, { signal: leaving.signal })).rejects.toThrow(/abort/)
  await reader
  leaving.abort()
  await stream
  await left
}, 30_000)

test('a port on which nobody listens is said by name, with its machine', async () => {
  const { url } = await expose('nobody', 'public', 4_000)
  const seen = await go(url, { headers: { accept: 'text/html' } })
  expect(seen.status).toBe(502)
  expect(seen.body).toContain('Nothing answers on port 4000 of the machine shop-1')
})

test('a suspended machine is woken by its first request, with a page that tries again', async () => {
  const { client } = installation
  const { url } = await expose('sleepy', 'public')
  await client.environments.update(environmentId, { spec: { desiredPhase: 'suspended' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'suspended')
  const page = await eventually(async () => {
    const seen = await go(url, { headers: { accept: 'text/html' } })
    return seen.status === 503 ? seen : null
  })
  expect(page.headers['retry-after']).toBe('2')
  expect(page.body).toContain('<meta http-equiv="refresh" content="2">')
  expect(page.body).toContain('The machine shop-1 was asleep')
  await eventually(async () => ((await go(url)).status === 200 ? true : null))
  expect((await client.environments.get(environmentId)).spec.desiredPhase).toBe('running')
  const why = await hearth('why', 'route', 'sleepy')
  expect(why.stdout).toContain('a request asked for the machine while it was off')
})

test('a stranger wakes no machine whose route is private', async () => {
  const { client } = installation
  const route = await expose('guarded', 'private')
  await client.environments.update(environmentId, { spec: { desiredPhase: 'stopped' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'stopped')
  expect((await go(route.url)).status).toBe(401)
  expect((await client.routes.get(route.id)).status.wake).toBeNull()
  await client.environments.update(environmentId, { spec: { desiredPhase: 'running' } })
  await untilEnvironment(client, environmentId, ({ status }) => status.phase === 'running')
})

test('an open WebSocket is use: its machine rests only after it was closed', async () => {
  const { client } = installation
  const id = await makeMachine(client, 'quiet-1', { idleSeconds: 10 })
  const { metadata } = await client.routes.create({
    name: 'quiet',
    spec: { environment: 'quiet-1', port: 3_000, access: 'public' },
  })
  const { status } = await untilRoute(metadata.id, (route) => route.status.phase === 'active')
  const socket = await eventually(() => upgrade(`${status.url}/socket`, ca).catch(() => null))
  const opened = Date.now()
  // Use is no event.
  const used = await eventually(async () => {
    const one = await client.environments.get(id)
    return Date.parse(one.status.life?.activeAt ?? '') > opened + 15_000 ? one : null
  })
  expect(used.status.phase).toBe('running')
  expect(await socket.echo('still here')).toBe('still here')
  socket.end()
  await untilEnvironment(client, id, (one) => one.status.phase === 'suspended')
}, 180_000)

test('an open WebSocket outlives the agent, and requests wait for the next one', async () => {
  const { url } = await expose('lasting', 'public')
  const socket = await eventually(() => upgrade(`${url}/socket`, ca).catch(() => null))
  expect(await socket.echo('before')).toBe('before')
  await agent.kill()
  expect(await socket.echo('without an agent')).toBe('without an agent')
  const waiting = go(url)
  await agent.start()
  expect((await waiting).status).toBe(200)
  expect(await socket.echo('after')).toBe('after')
  socket.end()
})

test('another route that comes or goes leaves a WebSocket open; its own that goes ends it', async () => {
  const { client } = installation
  const kept = await expose('kept', 'public')
  const socket = await eventually(() => upgrade(`${kept.url}/socket`, ca).catch(() => null))
  const passing = await expose('passing', 'public', 4_000)
  await client.routes.delete(passing.id)
  await eventually(async () =>
    (await client.routes.list({})).items.some(({ metadata }) => metadata.id === passing.id) ? null : true,
  )
  expect((await go(passing.url)).status).toBe(404)
  expect(await socket.echo('still here')).toBe('still here')
  await client.routes.delete(kept.id)
  await socket.closed
  expect((await go(kept.url)).status).toBe(404)
})

test('a host name that another organization has is refused, and free when that is gone', async () => {
  const { client, url } = installation
  const route = await expose('contested', 'public')
  const others = new HearthClient({ url, token: await newOrganization(installation, 'others') })
  const theirs = await startAgentProcess({ ...installation, client: others }, 'rack-2', {
    HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort()}`,
    HEARTH_INGRESS_HTTP_LISTEN: 'none',
  })
  try {
    await others.environmentClasses
      .create({
        name: 'small',
        spec: { virtualCpus: 1, memoryMebibytes: 512, diskGibibytes: 4, image: 'debian-12' },
      })
      .catch(() => undefined)
    await makeMachine(others, machine)
    const spec = { environment: machine, port: 3_000 }
    await expect(others.routes.create({ name: 'contested', spec })).rejects.toThrow(
      'another organization has a route whose host name begins with contested',
    )
    await client.routes.delete(route.id)
    await eventually(async () => others.routes.create({ name: 'contested', spec }).catch(() => null))
  } finally {
    await theirs[Symbol.asyncDispose]()
    await endCaddy(theirs.stateFolder)
  }
}, 120_000)

test('routes go with their environment', async () => {
  const { client } = installation
  const id = await makeMachine(client, 'passing-1')
  const { metadata } = await client.routes.create({
    spec: { environment: 'passing-1', port: 3_000, access: 'public' },
  })
  const { status } = await untilRoute(metadata.id, (route) => route.status.phase === 'active')
  await client.environments.delete(id)
  await eventually(async () =>
    (await client.routes.get(metadata.id).catch(() => null)) === null ? true : null,
  )
  expect((await go(status.url ?? '')).status).toBe(404)
})
