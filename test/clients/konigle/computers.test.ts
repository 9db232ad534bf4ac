import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { goodFacts } from '../../system/hostile-party.ts'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'

/** Over HTTP, as Konigle's client for Python does it. */
let installation: Installation
let agent: SyntheticAgent
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, { name: 'rack-1', timings: { heartbeat: 200 } })
  await eventually(async () => (await installation.client.runners.get('rack-1')).status.phase === 'active', {
    timeoutMilliseconds: 30_000,
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests, not types, check the answers
  body: any
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { Authorization: `Bearer ${installation.token}` },
): Promise<Answer> {
  const answer = await fetch(`${installation.url}/cloud/api/v1${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}
const given = (display_name: string, more: object = {}) => ({
  display_name,
  size: 'S',
  region: 'default',
  ...more,
})
const until = async (id: string, status: string) =>
  eventually(async () => (await call('GET', `/computers/${id}/`)).body.status === status, {
    timeoutMilliseconds: 60_000,
  })

test('a computer is made, its job polled until it is a success, and it is ready with an address', async () => {
  const made = await call('POST', '/computers/', given('The shop', { size: 'M', emoji: '🛒', name: 'shop' }))
  expect(made).toMatchObject({
    status: 201,
    body: {
      name: 'shop',
      display_name: 'The shop',
      emoji: '🛒',
      size: 'M',
      region: 'default',
      public_ip: null,
    },
  })
  const { job_id, id } = made.body
  expect(id).toMatch(/^[0-9]{30,39}$/)
  expect(made.body.computer.id).toBe(id)
  const job = await eventually(
    async () => {
      const { body } = await call('GET', `/jobs/${job_id}`)
      expect(['pending', 'running', 'success']).toContain(body.status)
      return body.status === 'success' ? body : null
    },
    { timeoutMilliseconds: 60_000 },
  )
  expect(job).toMatchObject({ id: job_id, task_name: 'provision_computer', completed_at: expect.any(String) })
  expect(job.log.at(-1)).toMatchObject({
    level: 'info',
    message: expect.any(String),
    time: expect.any(String),
  })
  await until(id, 'ready')
  const { body } = await call('GET', `/computers/${id}`)
  expect(body.public_ip).toMatch(/\S/)
  const native = await installation.client.environments.get('shop')
  expect(native.spec.plan).toMatchObject({ virtualCpus: 2, memoryMebibytes: 4_096 })
})

test('the first ones of a size that are asked for at once are all made, and one name is given once', async () => {
  const made = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => call('POST', '/computers', given(name, { size: 'L' }))),
  )
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201])
  const named = await Promise.all(
    [1, 2, 3].map(() => call('POST', '/computers', given('x', { name: 'once' }))),
  )
  expect(named.map(({ status }) => status).sort()).toEqual([201, 409, 409])
})

test('computers are listed page by page, the newest first, with their count', async () => {
  const before = (await call('GET', '/computers')).body.count
  for (const name of ['one', 'two', 'three']) await call('POST', '/computers', given(name))
  const first = await call('GET', '/computers?page=1&page_size=2')
  const second = await call('GET', '/computers/?page=2&page_size=2')
  expect(first.body.count).toBe(before + 3)
  expect(first.body.payload.map((each: { display_name: string }) => each.display_name)).toEqual([
    'three',
    'two',
  ])
  expect(second.body.payload[0]).toMatchObject({
    display_name: 'one',
    name: expect.stringMatching(/^[a-z0-9-]+$/),
  })
  expect((await call('GET', '/jobs?page_size=1')).body.payload).toHaveLength(1)
})

test('one that is to be destroyed can be taken back until its grace is over', async () => {
  const { body } = await call('POST', '/computers', given('Short'))
  await until(body.id, 'ready')
  expect((await call('DELETE', `/computers/${body.id}`)).body.status).toBe('destroy_scheduled')
  const { status } = await installation.client.environments.get(body.name)
  expect(Date.parse(status.life?.endsAt ?? '') - Date.now()).toBeGreaterThan(86_000_000)
  expect((await call('POST', `/computers/${body.id}/restore`)).body.status).toBe('ready')
  await call('DELETE', `/computers/${body.id}?grace_seconds=1`)
  await eventually(async () => (await call('GET', `/computers/${body.id}`)).status === 404, {
    timeoutMilliseconds: 60_000,
  })
  const other = await call('POST', '/computers', given('At once'))
  expect((await call('DELETE', `/computers/${other.body.id}?grace_seconds=0`)).body.status).toBe('destroying')
})

test('a computer has the image for web apps where a runner of its region has it', async () => {
  const { client, url } = installation
  const { runner, token } = await client.runners.create({ name: 'apps-1', spec: { region: 'apps' } })
  const registered = await fetch(`${url}/v1/runners/${runner.metadata.id}/registration`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ facts: { ...goodFacts, images: ['debian-12', 'debian-12-web'] } }),
  })
  expect(registered.status, await registered.text()).toBe(200)
  const { body } = await call('POST', '/computers', given('Shop', { region: 'apps' }))
  expect((await client.environmentClasses.get('small-apps-web')).spec.image).toBe('debian-12-web')
  await client.environments.delete(body.name)
  await client.runners.delete(runner.metadata.id, { force: true })
})

test('a token is taken from each header that clients send, and wrong values are named by field', async () => {
  const { token } = installation
  for (const headers of [
    { Authorization: `Bearer ${token}` },
    { Authorization: `Api-Key ${token}` },
    { 'X-Api-Key': token },
  ])
    expect((await call('GET', '/computers', undefined, headers as never)).status).toBe(200)
  expect(await call('GET', '/computers', undefined, { 'X-Api-Key': 'hearth_none' })).toMatchObject({
    status: 401,
    body: { detail: expect.any(String) },
  })
  const wrong = await call('POST', '/computers', given('x', { size: 'XL' }))
  expect(wrong).toMatchObject({
    status: 400,
    body: { errors: { size: [expect.any(String)] }, size: [expect.any(String)] },
  })
  expect(await call('POST', '/computers', given('x', { region: 'nyc3' }))).toMatchObject({
    status: 400,
    body: { region: ['must be one of default, got nyc3'] },
  })
  await call('POST', '/computers', given('x', { name: 'taken' }))
  expect(await call('POST', '/computers', given('y', { name: 'taken' }))).toMatchObject({
    status: 409,
    body: { name: [expect.stringContaining('no other environment')] },
  })
  for (const path of ['/computers/1', `/computers/${newId()}`, '/jobs/999999999999', '/nothing'])
    expect((await call('GET', path)).status).toBe(404)
  expect((await call('GET', '/computers?page=0')).status).toBe(400)
})
