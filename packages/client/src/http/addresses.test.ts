import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { HearthClient } from '../hearth-client.ts'
import { Addresses, addressesOf } from './addresses.ts'

const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const caller = { principalId: id, organizationId: id, name: 'ci', roles: ['viewer'] }

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

async function listening(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    request.resume()
    request.on('end', () => answer(request, response))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server }
}

const well = (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(caller))
}
const stopping = (_: IncomingMessage, response: ServerResponse) => response.writeHead(503).end('')
const cut = (request: IncomingMessage) => request.socket.destroy()

async function nobody(): Promise<string> {
  const { url, server } = await listening(well)
  await new Promise((resolve) => server.close(resolve))
  return url
}

test('addresses are split at commas', () => {
  expect(addressesOf('http://a:1/, https://b,')).toEqual(['http://a:1', 'https://b'])
})

test('two calls that fail at one address switch to the next one once', () => {
  const addresses = new Addresses('a,b,c')
  addresses.turnFrom('a')
  addresses.turnFrom('a')
  expect(addresses.current).toBe('b')
})

test.each([
  ['refuses the connection', nobody],
  ['cuts it', async () => (await listening(cut)).url],
  ['says that it stops', async () => (await listening(stopping)).url],
])('a control plane that %s is passed over at once, and later calls begin at the other', async (_, gone) => {
  const other = await listening(well)
  const client = new HearthClient({ url: `${await gone()},${other.url}`, retries: 0 })
  await client.whoami()
  await client.whoami()
  expect(other.requests).toHaveLength(2)
})

test('a control plane that hangs is given up for the other after the time limit', async () => {
  const hanging = await listening(() => undefined)
  const other = await listening(well)
  const options = { url: `${hanging.url},${other.url}`, timeoutMilliseconds: 100, retries: 0 }
  expect(await new HearthClient(options).whoami()).toEqual(caller)
})

test('a create keeps its idempotency key from one control plane to the other', async () => {
  const first = await listening(cut)
  const second = await listening((_, response) => response.writeHead(500).end('{}'))
  const client = new HearthClient({ url: `${first.url},${second.url}` })
  await expect(client.tokens.create({ name: 'ci', roles: ['viewer'] })).rejects.toMatchObject({
    code: 'internal',
  })
  const [key] = first.requests.map(({ headers }) => headers['idempotency-key'])
  expect(key).toBeTruthy()
  expect(second.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([key])
})

test('a change is sent to the other control plane only if it cannot have arrived', async () => {
  const other = await listening((_, response) => response.writeHead(404).end('{}'))
  const update = (url: string) =>
    new HearthClient({ url: `${url},${other.url}` }).projects.update('shop', { labels: {} })
  await expect(update((await listening(cut)).url)).rejects.toMatchObject({ code: 'unavailable' })
  expect(other.requests).toHaveLength(0)
  await expect(update(await nobody())).rejects.toMatchObject({ code: 'not_found' })
  expect(other.requests).toHaveLength(1)
})

test('a stream that ends continues at the other control plane', async () => {
  const position = 'event: position\nid: 7\ndata: 7\n\n'
  const first = await listening((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(position)
    first.server.close()
  })
  const ended = new AbortController()
  const second = await listening((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(position)
    ended.abort()
  })
  const client = new HearthClient({ url: `${first.url},${second.url}` })
  for await (const event of client.events.follow({ signal: ended.signal })) expect(event).toBeUndefined()
  expect(second.requests.map(({ headers }) => headers['last-event-id'])).toEqual(['7'])
})
