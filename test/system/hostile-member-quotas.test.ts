import { setTimeout as delay } from 'node:timers/promises'
import { HearthClient } from '@hearth/client'
import { HearthError } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { newOrganization } from './hostile-party.ts'
import { type Installation, type Replica, startInstallation, startReplica } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

/** Requests of a member, or of a whole organization, for more than its quota. */

let installation: Installation
let second: Replica

beforeAll(async () => {
  installation = await startInstallation()
  second = await startReplica(installation)
})
afterAll(async () => {
  await second.stop()
  await installation[Symbol.asyncDispose]()
})

type Limits = Record<string, number | null>

interface Party {
  name: string
  token: string
  client: HearthClient
  projectId: string
  classId: string
  limit(quotas: { organization?: Limits; principal?: Limits }): Promise<void>
}

/** An organization with a project. */
async function party(name: string, quotas: Parameters<Party['limit']>[0]): Promise<Party> {
  const { url } = installation
  const token = await newOrganization(installation, name)
  const client = new HearthClient({ url, token, retries: 0 })
  const { organizationId } = await client.whoami()
  const limit: Party['limit'] = async ({ organization = {}, principal = {} }) => {
    const response = await fetch(`${url}/v1/organizations/${organizationId}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ spec: { displayName: name, quotas: { organization, principal } } }),
    })
    expect(response.status).toBe(200)
  }
  await limit(quotas)
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name, warmPools: [] })
  const medium = (await client.environmentClasses.list({})).items.find(
    ({ metadata }) => metadata.name === 'medium',
  )
  return { name, token, client, projectId, classId: medium?.metadata.id ?? '', limit }
}

const refusalOf = (work: Promise<unknown>): Promise<HearthError | null> =>
  work.then(
    () => null,
    (error: unknown) => {
      if (error instanceof HearthError) return error
      throw error
    },
  )

const create = ({ projectId, classId }: Party, client: HearthClient) =>
  client.environments.create({ spec: { projectId, environmentClassId: classId } })

const want = (client: HearthClient, id: string, desiredPhase: 'running' | 'stopped') =>
  client.environments.update(id, { spec: { desiredPhase } })

/** What is requested, and how many exist afterwards; the class `medium` has 2 CPUs, 4 GiB and 20 GiB. */
const bounded: {
  quota: string
  limit: number
  fit: number
  whose?: 'principal'
  ask(party: Party, client: HearthClient, at: number): Promise<unknown>
}[] = [
  { quota: 'environments', limit: 7, fit: 7, ask: create },
  { quota: 'environments', limit: 5, fit: 5, whose: 'principal', ask: create },
  { quota: 'running', limit: 4, fit: 4, ask: create },
  { quota: 'virtualCpus', limit: 9, fit: 4, ask: create },
  { quota: 'memoryMebibytes', limit: 12_288, fit: 3, ask: create },
  { quota: 'diskGibibytes', limit: 59, fit: 2, whose: 'principal', ask: create },
  {
    quota: 'environments',
    limit: 3,
    fit: 3,
    whose: 'principal',
    ask: (_, client) => client.claims.create({ spec: { project: 'cold', publicKey: newPublicKey() } }),
  },
  {
    quota: 'projects',
    limit: 6,
    fit: 5,
    ask: (_, client, at) => client.apply({ apiVersion: 'hearth/v1', name: `p${at}`, warmPools: [] }),
  },
  {
    quota: 'tokens',
    limit: 4,
    fit: 3,
    ask: (_, client, at) => client.tokens.create({ name: `t${at}`, roles: ['viewer'] }),
  },
  {
    quota: 'runners',
    limit: 2,
    fit: 2,
    ask: (_, client, at) => client.runners.create({ name: `r${at}`, labels: {}, spec: {} }),
  },
]

test.each(bounded.map((row, at) => ({ ...row, at })))(
  '50 requests at once on two control planes never pass $quota = $limit ($at)',
  async ({ quota, limit, fit, whose: given, ask, at }) => {
    const whose = given ?? 'organization'
    const name = `bound-${at}`
    const made = await party(name, {})
    const { client, token } = made
    if (whose === 'principal' && at === 6)
      await client.apply({ apiVersion: 'hearth/v1', name: 'cold', warmPools: [{ min: 0 }] })
    await made.limit({ [whose]: { [quota]: limit } })
    const other = new HearthClient({ url: second.url, token, retries: 0 })
    const refusals = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refusalOf(ask(made, index % 2 === 0 ? client : other, index))),
    )
    const refused = refusals.filter((error) => error !== null)
    expect(refused.length).toBe(50 - fit)
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'quota_exceeded', facts: { quota, limit, whose } })
      expect(error.message).toContain(`of ${limit} at most`)
    }
    const shown: Partial<Record<string, { limit: number | null; use: number | null }>> = (
      await client.quotas()
    )[whose]
    expect(shown[quota]?.limit).toBe(limit)
    expect(shown[quota]?.use).toBeLessThanOrEqual(limit)
  },
  60_000,
)

test('150 machines asked for in a loop: those that fit, a 403 that says what to do for all others, and an answer that repeats', async () => {
  const made = await party('loop', { organization: { environments: 40 } })
  const headers = {
    authorization: `Bearer ${made.token}`,
    'content-type': 'application/json',
    'idempotency-key': 'the-first',
  }
  const body = JSON.stringify({ spec: { projectId: made.projectId, environmentClassId: made.classId } })
  const post = (more: Record<string, string> = {}) =>
    fetch(`${installation.url}/v1/environments`, { method: 'POST', headers: { ...headers, ...more }, body })
  const first = await (await post()).text()
  const statuses: number[] = []
  for (let at = 1; at < 150; at += 1) statuses.push((await post({ 'idempotency-key': `again-${at}` })).status)
  expect(statuses.filter((status) => status === 201)).toHaveLength(39)
  expect(statuses.filter((status) => status === 403)).toHaveLength(110)
  const refused = (await (await post({ 'idempotency-key': 'last' })).json()) as { error: unknown }
  expect(refused.error).toMatchObject({
    code: 'quota_exceeded',
    message: expect.stringMatching(/40 environments of 40 at most \(quota environments\).*delete/),
    facts: { quota: 'environments', limit: 40, use: 40, whose: 'organization' },
  })
  expect(await (await post()).text()).toBe(first)
  const all = await made.client.environments.listAll({})
  expect(all).toHaveLength(40)
  await made.client.environments.delete(all[0]?.metadata.id ?? '')
  await untilEnvironment(made.client, all[0]?.metadata.id ?? '', ({ status }) => status.phase === 'deleted')
  expect((await post({ 'idempotency-key': 'room' })).status).toBe(201)
}, 120_000)

/** Latencies below this are noise of the machine. */
const unrestMilliseconds = 20

test('while one organization floods, the requests of another take no more than a few times as long', async () => {
  const flooder = await party('flooder', { organization: { environments: 30 } })
  const neighbour = await party('neighbour', {})
  const measure = async (count: number) => {
    const took: number[] = []
    for (let at = 0; at < count; at += 1) {
      const began = performance.now()
      await create(neighbour, neighbour.client)
      took.push(performance.now() - began)
    }
    return took.sort((a, b) => a - b)[Math.floor(count / 2)] ?? 0
  }
  await measure(5)
  const quiet = await measure(20)
  let flooding = true
  const clients = [installation.url, second.url].map(
    (url) => new HearthClient({ url, token: flooder.token, retries: 0 }),
  )
  // Twice as many requests as a member may send: both those over the rate and those over the quota are refused.
  const refused = new Set<string | undefined>()
  const flood = Array.from({ length: 40 }, async (_, at) => {
    while (flooding) {
      refused.add((await refusalOf(create(flooder, clients[at % 2] ?? flooder.client)))?.code)
      await delay(50)
    }
  })
  await measure(3)
  const meanwhile = await measure(20)
  flooding = false
  await Promise.all(flood)
  expect(refused).toContain('quota_exceeded')
  expect(meanwhile / Math.max(quiet, unrestMilliseconds)).toBeLessThan(5)
  expect((await flooder.client.quotas()).organization.environments?.use).toBe(30)
}, 120_000)

test('a pool makes as many as fit, says what it waits for, and fills when there is room', async () => {
  const made = await party('waits', { organization: { environments: 3 } })
  const { client, classId, projectId } = made
  await using _ = await startSyntheticAgent({ ...installation, client }, { name: 'waits-host' })
  const held = await create(made, client)
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'waits',
    warmPools: [{ min: 4 }],
  })
  const poolId = warmPools[0]?.id ?? ''
  const short = await untilPool(client, poolId, ({ status }) => status.quota !== null && status.ready === 2)
  expect(short.status).toMatchObject({
    phase: 'filling',
    quota: { quota: 'environments', limit: 3, use: 3 },
  })
  const why = await client.warmPools.why(poolId)
  expect(why.sentence).toBe(
    '2 of 4 are ready: the organization has 3 environments of 3 at most (quota environments)',
  )
  expect(why.next).toContain('as soon as an environment goes or the quota environments is raised')
  const spec = { project: 'waits', publicKey: newPublicKey() }
  const taken = [await client.claims.create({ spec }), await client.claims.create({ spec })]
  expect(await refusalOf(client.claims.create({ spec: { ...spec, fallback: 'cold' } }))).toMatchObject({
    code: 'quota_exceeded',
    facts: { quota: 'environments', limit: 3, use: 3, whose: 'organization' },
  })
  expect(await refusalOf(client.claims.create({ spec: { ...spec, fallback: 'refuse' } }))).toMatchObject({
    code: 'pool_empty',
    message: expect.stringContaining('3 environments of 3 at most (quota environments)'),
  })
  await client.claims.release(taken[0]?.metadata.id ?? '')
  await untilPool(client, poolId, ({ status }) => status.ready === 1)
  await client.environments.delete(held.metadata.id)
  await untilPool(client, poolId, ({ status }) => status.ready === 2)
  expect(await client.environments.listAll({ projectId })).toHaveLength(3)
  await made.limit({ organization: { environments: 5 } })
  const full = await untilPool(client, poolId, ({ status }) => status.phase === 'ready')
  expect(full.status).toMatchObject({ ready: 4, quota: null })
  expect(classId).not.toBe('')
}, 120_000)

test('a stopped machine starts only where one more may run', async () => {
  const made = await party('starts', {})
  const { client } = made
  await using _ = await startSyntheticAgent({ ...installation, client }, { name: 'starts-host' })
  const { id } = (await create(made, client)).metadata
  await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
  await want(client, id, 'stopped')
  await untilEnvironment(client, id, ({ status }) => status.phase === 'stopped')
  await made.limit({ organization: { running: 1 } })
  const other = (await create(made, client)).metadata.id
  const refused = { code: 'quota_exceeded', facts: { quota: 'running', limit: 1, use: 1 } }
  expect(await refusalOf(want(client, id, 'running'))).toMatchObject(refused)
  await client.environments.delete(other)
  await untilEnvironment(client, other, ({ status }) => status.phase === 'deleted')
  await want(client, id, 'running')
  await untilEnvironment(client, id, ({ status }) => status.phase === 'running')
}, 60_000)

test('50 simultaneous claims of one member get no more machines of a pool than the member may hold', async () => {
  const made = await party('holds', {})
  const { client } = made
  await using _ = await startSyntheticAgent({ ...installation, client }, { name: 'holds-host' })
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'holds',
    warmPools: [{ min: 12 }],
  })
  await untilPool(client, warmPools[0]?.id ?? '', ({ status }) => status.ready === 12)
  await made.limit({ principal: { environments: 5 } })
  const other = new HearthClient({ url: second.url, token: made.token, retries: 0 })
  const spec = { project: 'holds', publicKey: newPublicKey() }
  const refusals = await Promise.all(
    Array.from({ length: 50 }, (_each, at) =>
      refusalOf((at % 2 === 0 ? client : other).claims.create({ spec })),
    ),
  )
  expect(refusals.filter((error) => error === null)).toHaveLength(5)
  expect(refusals.find((error) => error !== null)).toMatchObject({
    code: 'quota_exceeded',
    facts: { quota: 'environments', limit: 5, use: 5, whose: 'principal' },
  })
  expect(await client.claims.listAll({})).toHaveLength(5)
}, 60_000)
