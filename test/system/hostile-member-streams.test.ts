import { HearthClient } from '@hearth/client'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { newOrganization } from './hostile-party.ts'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { newPublicKey } from './public-key.ts'

/** What a member, or the holder of an expired token, does with streams and with many requests. */

const limits = { principal: { streams: 12 }, organization: { streams: 20 } }
/** One second, plus the delay of a busy host. */
const soonMilliseconds = 5_000
let installation: Installation
let second: Replica
let sql: pg.Client
let environmentId: string
let claimId: string

beforeAll(async () => {
  installation = await startInstallation({ quotas: limits })
  second = await startReplica(installation, { quotas: limits })
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  // No runner works here, so both resources stay unchanged while they are followed and waited for.
  const { client } = installation
  const { projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'waits',
    warmPools: [{ min: 0 }],
  })
  const [environmentClass] = (await client.environmentClasses.list({})).items
  const spec = { projectId, environmentClassId: environmentClass?.metadata.id ?? '' }
  environmentId = (await client.environments.create({ spec })).metadata.id
  claimId = (await client.claims.create({ spec: { project: 'waits', publicKey: newPublicKey() } })).metadata
    .id
})
afterAll(async () => {
  await sql.end()
  await second.stop()
  await installation[Symbol.asyncDispose]()
})

interface Opened {
  status: number
  retryAfter: string | null
  body: string
  /** Resolves with the status, or the close code, once the server has ended the stream. */
  ended: Promise<number>
  close(): void
}

async function open(url: string, token: string, path: string): Promise<Opened> {
  const left = new AbortController()
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: left.signal,
  })
  const body = response.ok ? '' : await response.text()
  const drained = async () => {
    const reader = response.body?.getReader()
    while (response.ok && (await reader?.read())?.done === false);
    return response.status
  }
  const ended = drained()
  ended.catch(() => undefined)
  const retryAfter = response.headers.get('retry-after')
  return { status: response.status, retryAfter, body, ended, close: () => left.abort() }
}

async function openWebSocket(url: string, token: string): Promise<Opened> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const ended = new Promise<number>((resolve) => socket.on('close', resolve))
  const status = await new Promise<number>((resolve) => {
    socket.on('open', () => resolve(200))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => undefined)
  })
  return { status, retryAfter: null, body: '', ended, close: () => socket.terminate() }
}

/** Every response that lasts longer than a request; all tests below run for each. */
const streams: { name: string; open(url: string, token: string): Promise<Opened>; end: number }[] = [
  { name: 'server-sent events', open: (url, token) => open(url, token, '/v1/events'), end: 200 },
  { name: 'a WebSocket of events', open: openWebSocket, end: 4401 },
  {
    name: 'followed logs',
    open: (url, token) => open(url, token, `/v1/environments/${environmentId}/logs?follow=true`),
    end: 200,
  },
]
/** A response that is sent only at its end. */
const longPoll = async (url: string, token: string) => {
  const opened = await open(url, token, `/v1/claims/${claimId}?waitSeconds=60`)
  return opened.status
}

const ends: { how: string; expiresInMilliseconds?: number; end(tokenId: string): Promise<unknown> }[] = [
  { how: 'revoked', end: (tokenId) => installation.client.tokens.delete(tokenId) },
  { how: 'expired', expiresInMilliseconds: 3_000, end: () => Promise.resolve() },
  {
    how: 'deleted with its principal',
    end: (tokenId) =>
      sql.query(`DELETE FROM tokens WHERE principal_id = (SELECT principal_id FROM tokens WHERE id = $1)`, [
        tokenId,
      ]),
  },
]

test.each(ends)(
  'every stream on every control plane ends with its token, $how',
  async (how) => {
    const { expiresInMilliseconds, end } = how
    const created = await installation.client.tokens.create({
      name: 'watcher',
      roles: ['viewer'],
      ...(expiresInMilliseconds === undefined
        ? {}
        : { expiresAt: new Date(Date.now() + expiresInMilliseconds).toISOString() }),
    })
    const opened = await Promise.all(
      [installation.url, second.url].flatMap((url) =>
        streams.map(async ({ name, open: begin, end: expected }) => ({
          name,
          expected,
          ...(await begin(url, created.secret)),
        })),
      ),
    )
    expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 200))
    const polls = [installation.url, second.url].map((url) => longPoll(url, created.secret))
    await end(created.id)
    const late = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), (expiresInMilliseconds ?? 0) + soonMilliseconds)
    })
    const outcomes = await Promise.all(opened.map(({ ended }) => Promise.race([ended, late])))
    expect(outcomes).toEqual(opened.map(({ expected }) => expected))
    expect(await Promise.all(polls.map((poll) => Promise.race([poll, late])))).toEqual([401, 401])
  },
  30_000,
)

describe('more streams than a principal may have open', () => {
  const refused = async (token: string) => {
    const answers = await Promise.all(streams.map(({ open: begin }) => begin(installation.url, token)))
    for (const { close } of answers) close()
    return answers
  }

  test('are refused with the limit, the use and Retry-After, until one is closed; others continue', async () => {
    const token = async (name: string) =>
      (await installation.client.tokens.create({ name, roles: ['viewer'] })).secret
    const [greedy, other] = [await token('greedy'), await token('other')]
    const opened = await Promise.all(
      Array.from({ length: 12 }, async (_, at) =>
        streams[at % streams.length]?.open(installation.url, greedy),
      ),
    )
    expect(opened.map((stream) => stream?.status)).toEqual(opened.map(() => 200))
    const answers = await refused(greedy)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 429))
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({
      error: { code: 'rate_limited', facts: { quota: 'streams', limit: 12, use: 12 } },
    })
    expect(Number(answers[0]?.retryAfter)).toBeGreaterThan(0)
    const free = await open(installation.url, other, '/v1/events')
    expect(free.status).toBe(200)
    free.close()
    const [first] = opened
    first?.close()
    await expect
      .poll(async () => {
        const again = await open(installation.url, greedy, '/v1/events')
        again.close()
        return again.status
      })
      .toBe(200)
    for (const stream of opened) stream?.close()
  }, 30_000)
})

function changeOrganization(token: string, organizationId: string, spec: unknown): Promise<Response> {
  return fetch(`${installation.url}/v1/organizations/${organizationId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ spec }),
  })
}

test('an organization over its rate gets Retry-After, and no other does; requests of runners do not count', async () => {
  const { client, url } = installation
  const token = await newOrganization(installation, 'hasty')
  const hasty = new HearthClient({ url, token, retries: 0 })
  const { organizationId } = await hasty.whoami()
  const quotas = { organization: { requestsPerSecond: 2 }, principal: {} }
  const ask = (secret: string, path = '/v1/whoami') =>
    fetch(url + path, { headers: { authorization: `Bearer ${secret}` } })
  expect(
    (await changeOrganization(installation.token, organizationId, { displayName: 'Hasty', quotas })).status,
  ).toBe(200)
  const runner = await hasty.runners.create({ name: 'host', labels: {}, spec: {} })
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(token)))
  const refusals = answers.filter(({ status }) => status === 429)
  expect(refusals.length).toBeGreaterThan(20)
  expect(Number(refusals[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refusals[0]?.json()).toMatchObject({
    error: { code: 'rate_limited', facts: { quota: 'requestsPerSecond', limit: 2 } },
  })
  expect((await client.whoami()).roles).toEqual(['administrator'])
  expect((await ask(runner.token)).status).toBe(200)
  // The client waits for the time in `Retry-After`, and gets its answer.
  expect((await new HearthClient({ url, token }).whoami()).organizationId).toBe(organizationId)
}, 30_000)

test('changes of a large project cost as much as the events that they make', async () => {
  const { client, url } = installation
  const token = await newOrganization(installation, 'verbose')
  const verbose = new HearthClient({ url, token, retries: 0 })
  const { organizationId } = await verbose.whoami()
  const quotas = { organization: { requestsPerSecond: 20 }, principal: {} }
  await changeOrganization(installation.token, organizationId, { displayName: 'Verbose', quotas })
  const setup = Array.from({ length: 50 }, (_, index) => ({
    name: `step-${index}`,
    command: `true # ${'x'.repeat(4_000)}`,
  }))
  const { metadata } = await verbose.projects.create({ name: 'large', spec: { setup } })
  const changes = await Promise.allSettled(
    Array.from({ length: 20 }, async (_, index) => {
      const variables = { ROUND: `${index}` }
      return verbose.projects.update(metadata.id, { spec: { variables } })
    }),
  )
  const refused = changes.flatMap((change) =>
    change.status === 'rejected' ? [change.reason as unknown] : [],
  )
  expect(refused).not.toHaveLength(0)
  for (const reason of refused) expect(reason).toMatchObject({ code: 'rate_limited' })
  expect((await client.whoami()).roles).toEqual(['administrator'])
}, 30_000)

test('only an administrator of the installation sets quotas', async () => {
  const { url } = installation
  const token = await newOrganization(installation, 'modest')
  const { organizationId } = await new HearthClient({ url, token }).whoami()
  const change = (spec: unknown) => changeOrganization(token, organizationId, spec)
  const quotas = { organization: { streams: null }, principal: {} }
  expect((await change({ displayName: 'Modest', quotas })).status).toBe(403)
  expect((await change({ displayName: 'More modest' })).status).toBe(200)
})
