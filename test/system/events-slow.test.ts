import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type StreamMessage, streamCloseCodes, streamMessageSchema } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { loggedEvents } from './event-log.ts'
import { type Installation, startInstallation } from './installation.ts'

const events = 30_000
const bytesOfEach = 12_000
/** Far below the amount written, and above what socket buffers and delayed garbage collection use. */
const mostMemoryBytes = 120 * 1024 * 1024

let installation: Installation
let newest: number

beforeAll(async () => {
  installation = await startInstallation({ overrides: { timings: { observerStall: 2_000 } } })
  const { organizationId } = await installation.client.whoami()
  const sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  newest = ((await loggedEvents(installation.database.url, organizationId)).at(-1)?.position ?? 0) + events
  // Inserted with positions and as published; doing that for real would take far longer than the test.
  await sql.query(
    `INSERT INTO events (id, position, organization_id, verb, kind, resource_id, resource)
     SELECT gen_random_uuid(), $4 - $2 + number, $1, 'updated', 'Job', gen_random_uuid(),
       jsonb_build_object('text', repeat('x', $3)) FROM generate_series(1, $2) AS number`,
    [organizationId, events, bytesOfEach, newest],
  )
  await sql.query('UPDATE event_publication SET position = $1', [newest])
  await sql.end()
})
afterAll(() => installation[Symbol.asyncDispose]())

async function slowEnds(): Promise<number> {
  const text = await (await fetch(`${installation.url}/metrics`)).text()
  return Number(/^hearth_event_streams_ended_total\{reason="slow"\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

/** Opens a stream that nobody reads; resolves when the server has closed it. */
async function leaveUnread<Reader>(open: () => Promise<Reader>): Promise<Reader> {
  globalThis.gc?.()
  const before = { memory: process.memoryUsage().rss, ends: await slowEnds() }
  const reader = await open()
  let most = 0
  await eventually(
    async () => {
      most = Math.max(most, process.memoryUsage().rss - before.memory)
      return (await slowEnds()) > before.ends
    },
    { timeoutMilliseconds: 30_000 },
  )
  console.info(`${Math.round(most / 1024 / 1024)} MiB more for ${(events * bytesOfEach) / 1e6} MB of events`)
  expect(most).toBeLessThan(mostMemoryBytes)
  return reader
}

/** What it received before it was disconnected is a prefix without gaps, then the position at which to continue. */
async function expectToldWhereToGoOn(messages: readonly StreamMessage[]): Promise<void> {
  const last = messages.at(-1)
  const positions = messages.flatMap((message) => (message.type === 'event' ? [message.event.position] : []))
  expect(positions.length).toBeGreaterThan(0)
  expect(positions.at(-1)).toBeLessThan(newest)
  expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index))
  expect(last).toEqual({ type: 'resume', position: positions.at(-1), oldest: 1 })
  const { items } = await installation.client.events.list({ after: positions.at(-1), limit: 1 })
  expect(items[0]?.position).toBe((positions.at(-1) ?? 0) + 1)
}

test('an observer over SSE that does not read is told where to go on, and takes no memory', async () => {
  const socket = await leaveUnread(async (): Promise<Socket> => {
    const { hostname, port } = new URL(installation.url)
    const opened = connect(Number(port), hostname)
    await once(opened, 'connect')
    opened.pause()
    opened.write(
      `GET /v1/events?after=0 HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${installation.token}\r\n\r\n`,
    )
    return opened
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.resume()
  // The last chunk: the server ended the response properly.
  await eventually(() => chunks.at(-1)?.toString().endsWith('\r\n0\r\n\r\n'), { timeoutMilliseconds: 10_000 })
  socket.destroy()
  await expectToldWhereToGoOn(serverSentEvents(Buffer.concat(chunks).toString()))
})

test('an observer over WebSocket that does not read is told where to go on, and takes no memory', async () => {
  const messages: StreamMessage[] = []
  const socket = await leaveUnread(async () => {
    const opened = new WebSocket(`${installation.url.replace('http', 'ws')}/v1/events?after=0`, {
      headers: { authorization: `Bearer ${installation.token}` },
    })
    opened.on('message', (data) => messages.push(streamMessageSchema.parse(JSON.parse(String(data)))))
    await once(opened, 'open')
    opened.pause()
    return opened
  })
  const closed = once(socket, 'close')
  socket.resume()
  const [code, reason] = (await closed) as [number, Buffer]
  expect([code, String(reason)]).toEqual([streamCloseCodes.slow, 'slow'])
  await expectToldWhereToGoOn(messages)
})

test('an observer that never reads again is cut off', async () => {
  const socket = await leaveUnread(async () => {
    const opened = new WebSocket(`${installation.url.replace('http', 'ws')}/v1/events?after=0`, {
      headers: { authorization: `Bearer ${installation.token}` },
    })
    await once(opened, 'open')
    opened.pause()
    return opened
  })
  await eventually(
    async () =>
      (await (await fetch(`${installation.url}/metrics`)).text()).includes(
        'hearth_event_observers{transport="websocket"} 0',
      ),
    { timeoutMilliseconds: 20_000 },
  )
  socket.terminate()
})

/** The messages in a chunked response. */
function serverSentEvents(answer: string): StreamMessage[] {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  const text = unchunk(Buffer.from(body))
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
      )
      const { event: type, data = '' } = fields
      if (type === undefined) return streamMessageSchema.parse({ type: 'event', event: JSON.parse(data) })
      return streamMessageSchema.parse(
        type === 'position' ? { type, position: Number(data) } : { type, ...JSON.parse(data) },
      )
    })
}

function unchunk(body: Buffer): string {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.subarray(at, end).toString(), 16)
    if (size === 0) break
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Buffer.concat(parts).toString()
}
