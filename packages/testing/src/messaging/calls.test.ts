import { createHash, randomBytes } from 'node:crypto'
import { type Call, subjects } from '@hearth/contract'
import { HearthError, newId } from '@hearth/foundation'
import {
  type CallHandler,
  connectMessaging,
  issueRunnerCredentials,
  type Messaging,
  type MessagingTimings,
} from '@hearth/messaging'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { startTestNats, type TestNats } from '../nats.ts'

let server: TestNats
let replicas: [Messaging, Messaging]
const toClose: { close(): Promise<void> }[] = []
const denied: string[] = []

beforeAll(async () => {
  server = await startTestNats({ authorization: true })
  const credentials = server.controlPlaneCredentials ?? ''
  const open = async (name: string) => {
    const messaging = await connectMessaging({ servers: [server.url], name, credentials })
    toClose.push(messaging)
    return messaging
  }
  replicas = [await open('replica 1'), await open('replica 2')]
})
afterAll(async () => {
  for (const connection of toClose) await connection.close()
  await server?.[Symbol.asyncDispose]()
})

/** An agent that serves its calls until the test is over. */
async function serving(
  runnerId: string,
  handle: CallHandler,
  timings: Partial<MessagingTimings> = {},
): Promise<AsyncDisposable & { problems: Error[] }> {
  const problems: Error[] = []
  const agent = await connectMessaging({
    servers: [server.url],
    name: 'runner',
    timings,
    credentials: await issueRunnerCredentials(server.accountSeed ?? '', runnerId),
    inboxPrefix: subjects.inbox(runnerId),
    onStatus: (status, detail) => {
      if (status === 'denied') denied.push(detail)
    },
    onProblem: (_, problem) => problems.push(problem),
  })
  const stopping = new AbortController()
  const served = agent.serveCalls(runnerId, handle, stopping.signal)
  await agent.flush()
  return {
    problems,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await served
      await agent.close()
    },
  }
}

async function rawRunner(runnerId: string): Promise<NatsConnection> {
  const credentials = await issueRunnerCredentials(server.accountSeed ?? '', runnerId)
  const connection = await connect({
    servers: server.url,
    authenticator: credsAuthenticator(new TextEncoder().encode(credentials)),
    inboxPrefix: subjects.inbox(runnerId),
  })
  toClose.push(connection)
  return connection
}

const read = (runnerId: string): Call => ({
  call: 'read',
  id: newId(),
  runnerId,
  epoch: 1,
  environmentId: newId(),
  path: '/etc/hostname',
  offset: 0,
  length: 1_024,
})
const options = (milliseconds = 20_000, signal = new AbortController().signal) => ({
  deadlineMilliseconds: milliseconds,
  signal,
})
const text = (content: string) => ({
  reply: { reply: 'file' as const, size: content.length, sha256: null, bytes: content.length },
  content: Buffer.from(content),
})

test('an answer larger than a message arrives whole, at the replica that asked', async () => {
  const runnerId = newId()
  const content = randomBytes(1024 * 1024)
  await using _ = await serving(runnerId, async (call) => ({
    reply: { reply: 'file', size: content.length, sha256: null, bytes: content.length },
    content: call.call === 'read' && call.offset === 0 ? content : Buffer.from('other'.repeat(200)),
  }))
  const answers = await Promise.all(
    [0, 1, 0, 1].map((index) => replicas[index === 0 ? 0 : 1].call(read(runnerId), options())),
  )
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  for (const answer of answers) expect(digest(answer.content)).toBe(digest(content))
  expect(denied).toEqual([])
})

test('who has no agent is told so soon, and what an agent refuses is told with its code', async () => {
  const began = performance.now()
  await expect(replicas[0].call(read(newId()), options())).rejects.toThrow(
    /no agent of the host is connected/,
  )
  expect(performance.now() - began).toBeLessThan(10_000)
  const runnerId = newId()
  await using agent = await serving(runnerId, async ({ id }) => {
    throw id === refused.id
      ? new HearthError('conflict', 'it is\nsuspended')
      : new Error('a secret of the agent')
  })
  const refused = read(runnerId)
  await expect(replicas[0].call(refused, options())).rejects.toMatchObject({
    code: 'conflict',
    message: 'it is suspended',
  })
  await expect(replicas[0].call(read(runnerId), options())).rejects.toMatchObject({
    code: 'unavailable',
    message: 'the agent of the host could not do it',
  })
  expect(agent.problems.map(({ message }) => message)).toEqual(['a secret of the agent'])
})

test('a call whose caller leaves, or whose time is up, is called off where it runs; others go on', async () => {
  const runnerId = newId()
  const ended: string[] = []
  let release: () => void = () => undefined
  const free = new Promise<void>((resolve) => {
    release = resolve
  })
  let running = 0
  await using _ = await serving(runnerId, async ({ id }, signal) => {
    running += 1
    await Promise.race([
      free,
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
    ])
    if (!signal.aborted) return text('done')
    ended.push(id)
    throw signal.reason
  })
  const leaving = new AbortController()
  const [left, late, other] = [read(runnerId), read(runnerId), read(runnerId)]
  const calls = [
    replicas[0].call(left, options(20_000, leaving.signal)),
    replicas[1].call(late, options(300)),
    replicas[1].call(other, options()),
  ]
  const settled = Promise.allSettled(calls)
  await eventually(() => running === 3, { timeoutMilliseconds: 5_000 })
  leaving.abort(new Error('left'))
  await eventually(() => ended.length === 2, { timeoutMilliseconds: 5_000 })
  expect(new Set(ended)).toEqual(new Set([left.id, late.id]))
  release()
  const [first, second, third] = await settled
  expect([first?.status, second?.status, third?.status]).toEqual(['rejected', 'rejected', 'fulfilled'])
  expect(second).toMatchObject({ reason: { code: 'unavailable' } })
})

test('a runner hears its own calls only, asks none of others, and answers nowhere but where it was asked to', async () => {
  const [runnerId, otherId] = [newId(), newId()]
  const other = await rawRunner(otherId)
  const refusals: string[] = []
  void (async () => {
    for await (const status of other.status())
      if (status.type === 'error') refusals.push(String(status.error))
  })()
  const heard: string[] = []
  other.subscribe(subjects.call(runnerId), {
    callback: (error, { subject }) => void (error ?? heard.push(subject)),
  })
  other.subscribe(subjects.allCalls, {
    callback: (error, { subject }) => void (error ?? heard.push(subject)),
  })
  await other.flush()
  let asked = 0
  await using _ = await serving(runnerId, async () => {
    asked += 1
    return text('own')
  })
  other.publish(subjects.call(runnerId), JSON.stringify(read(runnerId)))
  other.publish('_INBOX.anything', 'forged')
  await other.flush()
  const { content } = await replicas[0].call(read(runnerId), options())
  expect(content.toString()).toBe('own')
  expect([asked, heard]).toEqual([1, []])
  await eventually(() => refusals.length >= 4, { timeoutMilliseconds: 5_000 })
})

test('an agent whose credentials let it hear no calls goes on without', async () => {
  const runnerId = newId()
  const problems: string[] = []
  const agent = await connectMessaging({
    servers: [server.url],
    name: 'older',
    credentials: await issueRunnerCredentials(server.accountSeed ?? '', newId()),
    onProblem: (subject, { message }) => problems.push(`${subject}: ${message}`),
  })
  toClose.push(agent)
  const stopping = new AbortController()
  let hasEnded = false
  const served = agent
    .serveCalls(runnerId, async () => text('never'), stopping.signal)
    .then(() => {
      hasEnded = true
    })
  await eventually(() => problems.length > 0, { timeoutMilliseconds: 5_000 })
  expect(problems[0]).toMatch(/hearth\.call\..*permission/i)
  expect([hasEnded, agent.isConnected()]).toEqual([false, true])
  stopping.abort()
  await served
})

test('an agent that dies is missed, and one that works for long is waited for', async () => {
  const timings = { callTaken: 2_000, callAlive: 200, callSilence: 1_000 }
  const credentials = server.controlPlaneCredentials ?? ''
  const impatient = await connectMessaging({ servers: [server.url], name: 'impatient', credentials, timings })
  toClose.push(impatient)
  const runnerId = newId()
  await using _ = await serving(
    runnerId,
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      return text('late')
    },
    timings,
  )
  expect((await impatient.call(read(runnerId), options())).content.toString()).toBe('late')
  const deadId = newId()
  const raw = await rawRunner(deadId)
  raw.subscribe(subjects.call(deadId), {
    callback: (_, message) => void message.respond('{"reply":"alive"}'),
  })
  await raw.flush()
  await expect(impatient.call(read(deadId), options())).rejects.toThrow(/does not answer any more/)
})

test('what NATS does not take, or cannot be sent, is refused at once', async () => {
  const large: Call = {
    ...{ call: 'write', id: newId(), runnerId: newId(), epoch: 1, environmentId: newId(), path: '/x' },
    ...{ content: 'A'.repeat(9 * 1024 * 1024), mode: 'create', operation: null },
  }
  await expect(replicas[0].call(large, options())).rejects.toMatchObject({ code: 'too_large' })
  await server.stop()
  await eventually(() => !replicas[0].isConnected(), { timeoutMilliseconds: 10_000 })
  await expect(replicas[0].call(read(newId()), options())).rejects.toThrow(/NATS is not reached/)
  await server.start()
  await eventually(() => replicas.every((each) => each.isConnected()), { timeoutMilliseconds: 20_000 })
})

test('an agent that sends no answer, or more than it says, is told apart from one that works', async () => {
  const runnerId = newId()
  const raw = await rawRunner(runnerId)
  const answers = [
    ['{"reply":"file","size":1,"sha256":null,"bytes":1}', 'far too much'],
    ['{"reply":"executed"}'],
    ['no JSON'],
  ]
  let next = 0
  raw.subscribe(subjects.call(runnerId), {
    callback: (_, message) => {
      if (message.string().includes('"cancel"')) return
      for (const part of answers[next] ?? []) message.respond(part)
      next += 1
    },
  })
  await raw.flush()
  await expect(replicas[0].call(read(runnerId), options())).rejects.toThrow(/more than it had said/)
  for (const _ of [1, 2])
    await expect(replicas[0].call(read(runnerId), options())).rejects.toThrow(/no answer/)
})
