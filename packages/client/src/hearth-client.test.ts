import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HearthError } from '@hearth/foundation'
import { afterEach, expect, test } from 'vitest'
import { HearthClient } from './hearth-client.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const time = '2026-11-20T18:07:00.000Z'
const token = { kind: 'Token', id, organizationId: id, principalId: id, name: 'ci', roles: ['viewer'] }
const tokenJson = { ...token, createdAt: time, expiresAt: null, lastUsedAt: null }
const event = (position: number) => ({
  id,
  position,
  organizationId: id,
  verb: 'updated',
  kind: 'Project',
  resourceId: id,
  specVersion: 1,
  statusVersion: 1,
  time,
  resource: {},
})

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that gives each request the next prepared answer and records the requests. */
async function serving(...answers: Answer[]) {
  const requests: IncomingMessage[] = []
  const listening = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(request)
    request.resume()
    request.on('end', () => answer?.(request, response))
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const { port } = listening.address() as AddressInfo
  return { client: new HearthClient({ url: `http://127.0.0.1:${port}/`, token: 'secret' }), requests }
}

const json =
  (status: number, body: unknown): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const cut: Answer = (request) => request.socket.destroy()
const unavailable: Answer = (_, response) => response.writeHead(503).end('')
const lines =
  (text: string, end: boolean): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
    if (end) response.end()
    else setImmediate(() => response.destroy())
  }

test('a read is repeated after a broken connection and after a 503, with the token', async () => {
  const { client, requests } = await serving(cut, unavailable, json(200, { items: [tokenJson], next: null }))
  expect((await client.tokens.list({})).items).toHaveLength(1)
  expect(requests.map((request) => request.headers.authorization)).toEqual(Array(3).fill('Bearer secret'))
})

test('a repeated create keeps its idempotency key, and the next create has another one', async () => {
  const { client, requests } = await serving(cut, json(201, { ...tokenJson, secret: 's' }))
  await client.tokens.create({ name: 'ci', roles: ['viewer'] })
  await client.tokens.create({ name: 'ci', roles: ['viewer'] })
  const [first, second, third] = requests.map((request) => request.headers['idempotency-key'])
  expect(first).toBeTruthy()
  expect(second).toBe(first)
  expect(third).not.toBe(first)
})

test('a change is sent once and carries the version it is based on', async () => {
  const { client, requests } = await serving(unavailable)
  await expect(client.projects.update('shop', { labels: {} }, { specVersion: 3 })).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect(requests).toHaveLength(1)
  expect(requests[0]?.headers['if-match']).toBe('"3"')
  expect(requests[0]?.url).toBe('/v1/projects/shop')
})

test('a refusal keeps its code and is not repeated', async () => {
  const error = { code: 'pool_empty', message: 'none ready', details: [], facts: {}, requestId: 'r' }
  const { client, requests } = await serving(json(409, { error }))
  const failed = client.claims.create({ spec: { project: 'shop', publicKey: 'ssh-ed25519 AAAA' } })
  await expect(failed).rejects.toMatchObject({ code: 'pool_empty', message: 'none ready' })
  expect(requests).toHaveLength(1)
})

test('if nobody listens the error is `unavailable`, and the message says where', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const client = new HearthClient({ url: `http://127.0.0.1:${port}`, retries: 0 })
  const message = new RegExp(`127\\.0\\.0\\.1:${port} does not answer: .*ECONNREFUSED`)
  await expect(client.whoami()).rejects.toThrow(message)
})

test('an answer that violates the contract is refused', async () => {
  const { client } = await serving(json(200, { items: [{ kind: 'Token' }], next: null }))
  await expect(client.tokens.list({})).rejects.toBeInstanceOf(HearthError)
})

test('all pages are read', async () => {
  const { client, requests } = await serving(
    json(200, { items: [tokenJson], next: 'b' }),
    json(200, { items: [tokenJson], next: null }),
  )
  expect(await client.tokens.listAll({})).toHaveLength(2)
  expect(requests[1]?.url).toBe('/v1/tokens?limit=500&after=b')
})

test('an aborted call ends with the reason it was aborted for', async () => {
  const { client } = await serving(() => undefined)
  const controller = new AbortController()
  const call = client.whoami({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
})

test('after a broken stream, events continue where they stopped, each once', async () => {
  const message = (position: number) => `id: ${position}\ndata: ${JSON.stringify(event(position))}\n\n`
  const { client, requests } = await serving(
    lines(message(1) + message(2), false),
    lines(message(2) + message(3), false),
  )
  const controller = new AbortController()
  let opened = 0
  const positions: number[] = []
  for await (const { position } of client.events.follow({
    signal: controller.signal,
    onOpen: () => {
      opened += 1
    },
  })) {
    positions.push(position)
    if (position === 3) controller.abort()
  }
  expect(positions).toEqual([1, 2, 3])
  expect(requests[1]?.headers['last-event-id']).toBe('2')
  expect(opened).toBe(2)
})

test('a stream that broke before its first event continues from its start', async () => {
  const begin = 'event: position\nid: 41\ndata: 41\n\n'
  const { client, requests } = await serving(
    lines(begin, false),
    lines(`id: 42\ndata: ${JSON.stringify(event(42))}\n\n`, false),
  )
  const following = client.events.follow({ signal: new AbortController().signal })
  expect((await following.next()).value?.position).toBe(42)
  expect(requests[1]?.headers['last-event-id']).toBe('41')
  await following.return(undefined)
})

test('logs are joined over a broken stream and end when the server ends them', async () => {
  const chunk = (offset: number, text: string) =>
    `data: ${JSON.stringify({ environmentId: id, step: 'project_setup', offset, text, end: false, time })}\n\n`
  const { client, requests } = await serving(
    lines(chunk(0, 'one '), false),
    lines(`${chunk(0, 'one ')}${chunk(4, 'two')}event: end\ndata: {}\n\n`, true),
  )
  let text = ''
  for await (const piece of client.environments.logs(id, {
    signal: new AbortController().signal,
    follow: true,
  })) {
    text += piece.text
  }
  expect(text).toBe('one two')
  expect(requests).toHaveLength(2)
})

test('a stream that is refused says so at once', async () => {
  const { client } = await serving(json(401, {}))
  const following = client.events.follow({ signal: new AbortController().signal })
  await expect(following.next()).rejects.toMatchObject({ code: 'unauthenticated' })
})
