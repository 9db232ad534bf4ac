import { execFileSync } from 'node:child_process'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { parseAllowedHost } from '@hearth/control-plane'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'

let installation: Installation
/** The loopback is allowed except for this address, which must not be reached. */
let inner: Listening
let count = 0

beforeAll(async () => {
  inner = await listening(createHttpServer((_, response) => response.end(branchMain)))
  const repositoryHosts = parseAllowedHost('127.0.0.1') ?? []
  installation = await startInstallation({ repositoryHosts: [repositoryHosts].flat() })
})
afterAll(async () => {
  await installation[Symbol.asyncDispose]()
  await inner[Symbol.asyncDispose]()
})

const branchMain = `${'a'.repeat(40)}\trefs/heads/main\n`
const noAnswer = 'its server gave no answer'
const notPublic = 'its address is not public, and HEARTH_REPOSITORY_HOSTS does not name it'
const notAsked = 'its server is not asked from here: only https://, http:// and git:// are'

/** How a repository's server answers the question for a branch, and what the pool's answer and `why` then say. */
const servers: [what: string, answer: RequestListener, cause: string | null][] = [
  ['has the branch', (_, response) => response.end(branchMain), null],
  ['sends elsewhere', (_, response) => response.writeHead(301, { location: inner.url }).end(), noAnswer],
  [
    'wants a password',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
    noAnswer,
  ],
  [
    'wants a ticket',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end(),
    noAnswer,
  ],
  ['cuts the connection', (request) => request.socket.destroy(), noAnswer],
  ['writes without end', (_, response) => writeWithoutEnd(response), noAnswer],
  ['has 100,000 branches', (_, response) => response.end(branches(100_000)), noAnswer],
  ['fails', (_, response) => response.writeHead(500).end('x'.repeat(100_000)), noAnswer],
]
test.each(servers)('a repository whose server %s', async (_, answer, cause) => {
  await using server = await listening(createHttpServer(answer))
  const { status, seconds } = await makePool([`${server.url}shop.git`])
  const said =
    cause === null
      ? null
      : `could not check branch main in r0 (${cause}): the first environment shows whether it exists`
  expect(status).toBe(said)
  expect(seconds).toBeLessThan(12)
  expect(inner.connections).toBe(0)
})

test('a branch that the server does not list, even among junk, is refused', async () => {
  const junk = '\u0000\u001b]0;owned\u0007'.repeat(100)
  await using server = await listening(createHttpServer((_, response) => response.end(junk)))
  await expect(makePool([`${server.url}shop.git`])).rejects.toMatchObject({
    code: 'invalid',
    message: 'there is no branch main in r0',
  })
})

test('apply refuses a pool’s branch that is not there and makes nothing; one that stands is not asked for again', async () => {
  let asked = 0
  await using server = await listening(
    createHttpServer((_, response) => {
      asked += 1
      response.end(branchMain)
    }),
  )
  const { client } = installation
  count += 1
  const apply = (branch: string) =>
    client.apply({
      apiVersion: 'hearth/v1',
      name: `declared-${count}`,
      repositories: [{ url: `${server.url}shop.git` }],
      warmPools: [{ environmentClass: 'small', enabled: false, branch }],
    })
  await expect(apply('absent')).rejects.toMatchObject({
    code: 'invalid',
    message: 'there is no branch absent in shop',
    details: [expect.objectContaining({ field: 'body.warmPools.0.branch' })],
  })
  await expect(client.projects.get(`declared-${count}`)).rejects.toMatchObject({ code: 'not_found' })
  expect(await apply('main')).toMatchObject({ project: 'created', warmPools: [{ change: 'created' }] })
  const before = asked
  expect(before).toBeGreaterThan(1)
  expect(await apply('main')).toMatchObject({ project: 'unchanged', warmPools: [{ change: 'unchanged' }] })
  expect(asked).toBe(before)
})

/** Addresses that the control plane does not connect to. */
const closed: [url: (port: number) => string, cause: string][] = [
  [(port) => `http://[::ffff:127.0.0.2]:${port}/shop.git`, notPublic],
  [(port) => `http://127.0.0.2:${port}/shop.git`, notPublic],
  [(port) => `git://0.0.0.0:${port}/shop.git`, notPublic],
  [() => 'http://169.254.169.254/latest/meta-data', notPublic],
  [() => 'http://10.0.2.2:7070/shop.git', notPublic],
  [() => 'https://no-such-host.invalid/shop.git', 'its host was not found'],
  [(port) => `ssh://git@127.0.0.1:${port}/shop.git`, notAsked],
  [() => 'git@127.0.0.1:shop.git', notAsked],
  [() => 'file:///etc', notAsked],
]
test.each(closed.map(([url, cause]) => [url(0), url, cause] as const))(
  '%s is not asked',
  async (_, url, cause) => {
    const before = inner.connections
    const { status } = await makePool([url(inner.port)])
    expect(status).toContain(`(${cause})`)
    expect(inner.connections).toBe(before)
  },
)

test('eight requests for 32 repositories that hang have four calls at a time, end, and leave nothing behind', async () => {
  await using server = await listening(createServer(() => undefined))
  const urls = Array.from({ length: 32 }, (_, n) => `${server.url}r${n}.git`)
  const project = await makeProject(urls)
  const groups: number[] = []
  const watching = setInterval(() => groups.push(groupsFor(server.port).size), 100)
  const began = performance.now()
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => createPool(project)))
  clearInterval(watching)
  expect(performance.now() - began).toBeLessThan(15_000)
  expect(Math.max(...groups)).toBeGreaterThan(0)
  expect(Math.max(...groups)).toBeLessThanOrEqual(4)
  const made = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  expect(made).toHaveLength(1)
  expect(made[0]?.status.uncheckedBranch).toMatch(/^could not check branch main in r0 .* and 27 more: /)
  await eventually(async () => (groupsFor(server.port).size === 0 ? true : null), {
    timeoutMilliseconds: 2_000,
  })
})

test('when a caller disconnects, its calls are ended', async () => {
  await using server = await listening(createServer(() => undefined))
  const project = await makeProject([`${server.url}shop.git`])
  const leaving = new AbortController()
  const asking = createPool(project, leaving.signal).catch(() => null)
  await eventually(async () => (groupsFor(server.port).size > 0 ? true : null), {
    timeoutMilliseconds: 5_000,
  })
  leaving.abort()
  await asking
  await eventually(async () => (groupsFor(server.port).size === 0 ? true : null), {
    timeoutMilliseconds: 2_000,
  })
})

async function makeProject(urls: readonly string[]): Promise<string> {
  const name = `shop-${count++}`
  const repositories = urls.map((url, n) => ({ url, name: `r${n}` }))
  return (await installation.client.projects.create({ name, spec: { repositories } })).metadata.id
}

async function createPool(projectId: string, signal?: AbortSignal) {
  const { client } = installation
  const [environmentClass] = await client.environmentClasses.listAll({ name: 'small' })
  const environmentClassId = environmentClass?.metadata.id ?? ''
  const spec = { projectId, environmentClassId, branch: 'main', enabled: false }
  return client.warmPools.create({ spec }, signal === undefined ? {} : { signal })
}

async function makePool(urls: readonly string[]): Promise<{ status: string | null; seconds: number }> {
  const project = await makeProject(urls)
  const began = performance.now()
  const pool = await createPool(project)
  const status = pool.status.uncheckedBranch
  const why = await installation.client.warmPools.why(pool.metadata.id)
  if (status !== null) expect(why.evidence.map(({ what }) => what)).toContain(status)
  return { status, seconds: (performance.now() - began) / 1_000 }
}

/** Process groups that connect to this port. */
function groupsFor(port: number): Set<string> {
  const lines = execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  const asking = lines.filter((line) => line.includes(`127.0.0.1:${port}/`) && !/^\s*\d+\s+Z/.test(line))
  return new Set(asking.map((line) => line.trim().split(/\s+/)[0] ?? ''))
}

interface Listening extends AsyncDisposable {
  port: number
  url: string
  connections: number
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<{ destroy(): void }>()
  const listener: Listening = {
    port: 0,
    url: '',
    connections: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  server.on('connection', (socket) => {
    listener.connections += 1
    socket.on('error', () => undefined)
    sockets.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  listener.port = (server.address() as AddressInfo).port
  listener.url = `http://127.0.0.1:${listener.port}/`
  return listener
}

function branches(length: number): string {
  return Array.from({ length }, (_, n) => `${'a'.repeat(40)}\trefs/x/${n}/refs/heads/main\n`).join('')
}

function writeWithoutEnd(response: Parameters<RequestListener>[1]): void {
  const part = branches(1_000)
  const write = () => {
    while (!response.destroyed && response.write(part));
  }
  response.on('drain', write)
  write()
}
