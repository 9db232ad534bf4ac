import { X509Certificate } from 'node:crypto'
import { get } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issueCertificate, makeAuthority } from '../tls/certificate.ts'
import type { ApplicationEnvironment } from './application.ts'
import { boundArrivalElsewhere } from './arrival.ts'
import { type Listener, listen } from './listen.ts'

const arrival = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 }
let listener: Listener
const application = new OpenAPIHono<ApplicationEnvironment>()

beforeAll(async () => {
  application.post('/taken', async (context) => context.json({ bytes: (await context.req.text()).length }))
  application.post('/upload', async (context) => {
    boundArrivalElsewhere((context.env as unknown as HttpBindings).incoming)
    return context.json({ bytes: (await context.req.text()).length })
  })
  application.onError((_, context) => context.json({}, 400))
  application.get('/free', (context) => context.json({ free: true }))
  listener = await listen(application, { host: '127.0.0.1', port: 0 }, arrival)
})
afterAll(() => listener.close())

const post = 'POST /taken HTTP/1.1\r\nHost: x\r\n'

/** What a client sends at first, and the piece it then sends every 20 ms without end. */
const slow: [what: string, first: string, piece: string][] = [
  ['headers that never end', post, 'X-More: 1\r\n'],
  ['one header, a letter at a time', `${post}X-Long: `, 'x'],
  ['a request line, a letter at a time', 'POST /', 'x'],
  ['headers that stand still', `${post}X-Lo`, ''],
  ['a body, a letter at a time', `${post}Content-Length: 100000\r\n\r\n`, 'x'],
  ['a body that stands still', `${post}Content-Length: 100000\r\n\r\nx`, ''],
  ['a body in pieces, one letter each', `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
]

test.each(slow)('%s: answered with 408 and disconnected', async (_, first, piece) => {
  const answer = await talk(first, piece)
  expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/)
  expect(answer).toMatch(/^content-type: application\/json\r$/im)
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { error: { message: string } }
  expect(body.error.message).toMatch(/did not come whole in time/)
})

test('a request that bounds its own arrival has the time it takes', async () => {
  const head = 'POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 60\r\n\r\n'
  const started = performance.now()
  expect(await talk(head, 'x')).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\{"bytes":60\}$/)
  expect(performance.now() - started).toBeGreaterThan(arrival.requestTimeout)
})

test('a client that sends nothing is disconnected', async () => {
  expect(await talk('', '')).toMatch(/^$|^HTTP\/1.1 408 /)
})

test('50 slow clients delay no other request', async () => {
  const talks = Array.from({ length: 50 }, () => talk(`${post}Content-Length: 100000\r\n\r\n`, 'x'))
  const { port } = listener.address
  for (let at = 0; at < 10; at += 1) {
    expect((await fetch(`http://127.0.0.1:${port}/free`)).status).toBe(200)
  }
  for (const answer of await Promise.all(talks)) expect(answer).toMatch(/^$|^HTTP\/1.1 408 /)
})

test('with a certificate it serves HTTPS, and shows new connections the one that takes its place', async () => {
  const now = new Date(performance.timeOrigin)
  const authority = await makeAuthority(now)
  const [first, second] = [
    await issueCertificate(authority, ['localhost'], now),
    await issueCertificate(authority, ['localhost'], now),
  ]
  const secure = await listen(application, { host: '127.0.0.1', port: 0 }, arrival, first)
  const { port } = secure.address
  try {
    const options = { ca: authority.certificate, servername: 'localhost', agent: false }
    const status = await new Promise<number | undefined>((resolve, reject) =>
      get(`https://127.0.0.1:${port}/free`, options, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).once('error', reject),
    )
    expect(status).toBe(200)
    const shown = () =>
      new Promise<string | undefined>((resolve, reject) => {
        const socket = connectSecurely({ host: '127.0.0.1', port, ...options }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber)
          socket.destroy()
        }).once('error', reject)
      })
    const serials = [first, second].map(({ certificate }) => new X509Certificate(certificate).serialNumber)
    expect(await shown()).toBe(serials[0])
    secure.replaceCertificate(second)
    expect(await shown()).toBe(serials[1])
    // Whoever does not speak TLS there is disconnected.
    expect(await talk('GET /free HTTP/1.1\r\nHost: x\r\n\r\n', '', port)).not.toContain('200 OK')
  } finally {
    await secure.close()
  }
})

/**
 * Resolves with the answer once the server has closed the connection; a connection kept open ends with the test's time
 * limit.
 */
function talk(first: string, piece: string, port = listener.address.port): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let answer = ''
    if (first !== '') socket.write(first)
    const drip = setInterval(() => piece !== '' && socket.writable && socket.write(piece), 20)
    socket.on('data', (data) => {
      answer += String(data)
    })
    // Data still under way when the server closes the connection is lost.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(drip)
      resolve(answer)
    })
  })
}
