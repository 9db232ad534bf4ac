import { randomBytes } from 'node:crypto'
import { type Environment, mostPlanBytes } from '@hearth/contract'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

const mebibyte = 1024 * 1024
let installation: Installation
let agent: SyntheticAgent
let sql: pg.Client
let environmentClassId: string

beforeAll(async () => {
  // Makes more large plans at once than a member may, because the limits of answers are tested here.
  const unlimited = { requestsPerSecond: null }
  installation = await startInstallation({ quotas: { organization: unlimited, principal: unlimited } })
  agent = await startSyntheticAgent(installation, { name: 'host' })
  sql = new pg.Client({ connectionString: installation.database.url })
  await sql.connect()
  const size = { virtualCpus: 1, memoryMebibytes: 128, diskGibibytes: 1 }
  const made = await installation.client.environmentClasses.create({ name: 'tiny', spec: size })
  environmentClassId = made.metadata.id
})
afterAll(async () => {
  await sql?.end()
  await agent?.stop()
  await installation?.[Symbol.asyncDispose]()
})

/** Random, so that it cannot be compressed in the database or on the wire. */
const variablesOf = (bytes: number) =>
  Object.fromEntries(
    Array.from({ length: Math.ceil(bytes / 60_000) }, (_, index) => [
      `V${index}`,
      randomBytes(22_500).toString('base64').repeat(2),
    ]),
  )
const commandsOf = (bytes: number) =>
  Array.from(
    { length: Math.ceil(bytes / 60_000) },
    () => `true ${randomBytes(22_500).toString('base64').repeat(2)}`,
  )

const projectOf = async (name: string, bytes: number) =>
  (await installation.client.projects.create({ name, spec: { variables: variablesOf(bytes) } })).metadata.id

async function answerOf(path: string): Promise<{ text: string; body: { items: unknown[]; next: number } }> {
  const headers = { Authorization: `Bearer ${installation.token}` }
  const text = await (await fetch(`${installation.url}${path}`, { headers })).text()
  return { text, body: JSON.parse(text) as { items: unknown[]; next: number } }
}

const tooLarge: [string, () => Promise<unknown>][] = [
  ['a new project', () => projectOf('fat', mebibyte / 2)],
  [
    'a change of a project',
    async () => {
      const id = await projectOf('grows', 1_000)
      return installation.client.projects.update(id, { spec: { setup: commandsOf(mebibyte / 2) } })
    },
  ],
  [
    'a new pool',
    async () => {
      const projectId = await projectOf('half', mostPlanBytes / 2)
      const spec = { projectId, environmentClassId, setup: commandsOf(mostPlanBytes / 2) }
      return installation.client.warmPools.create({ spec })
    },
  ],
  [
    'a change of a pool',
    async () => {
      const projectId = await projectOf('half-2', mostPlanBytes / 2)
      const spec = { projectId, environmentClassId, enabled: false }
      const pool = await installation.client.warmPools.create({ spec })
      const setup = commandsOf(mostPlanBytes / 2)
      return installation.client.warmPools.update(pool.metadata.id, { spec: { setup } })
    },
  ],
  [
    'a change of a project that has a pool',
    async () => {
      const projectId = await projectOf('half-3', 1_000)
      const setup = commandsOf(mostPlanBytes / 2)
      await installation.client.warmPools.create({
        spec: { projectId, environmentClassId, enabled: false, setup },
      })
      const variables = variablesOf(mostPlanBytes / 2)
      return installation.client.projects.update(projectId, { spec: { variables } })
    },
  ],
]
test.each(tooLarge)(
  '%s that makes the plan too large is refused with its size and the bound',
  async (_, make) => {
    await expect(make()).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(new RegExp(`\\d+ bytes.* over the ${mostPlanBytes} .*repository`)),
    })
  },
)

test('events and lists of machines contain no plan, and a single machine is shown with it', async () => {
  const { client } = installation
  const projectId = await projectOf('large', 180_000)
  const pool = await client.warmPools.create({ spec: { projectId, environmentClassId, min: 8 } })
  const { id } = pool.metadata
  await untilPool(client, id, ({ status }) => status.phase === 'ready')
  const machines = await client.environments.listAll({ warmPoolId: id })
  const instances = await client.warmPools.instances(id).listAll({})
  expect(machines).toHaveLength(8)
  for (const { spec } of [...machines, ...instances.map(({ environment }) => environment)]) {
    expect(spec.plan).toBeUndefined()
    expect(spec.planDigest).toBe(machines[0]?.spec.planDigest)
  }
  const shown = await client.environments.get(machines[0]?.metadata.id ?? '')
  expect(Object.keys(shown.spec.plan?.variables ?? {})).toHaveLength(3)
  const { text, body } = await answerOf('/v1/events?limit=1000&kind=Environment')
  expect(body.items.length).toBeGreaterThan(20)
  expect(text.length).toBeLessThan(mebibyte)
  expect(text).not.toContain('"variables"')
})

test('a page of a list or of events ends at its size in bytes, and the next continues there', async () => {
  const { client } = installation
  const id = await projectOf('changing', 180_000)
  for (let count = 0; count < 28; count += 1)
    await client.projects.update(id, { labels: { count: `${count}` } })
  for (let count = 0; count < 26; count += 1) await projectOf(`one-of-many-${count}`, 180_000)
  const counts: unknown[] = []
  let pages = 0
  for (let after = 0, last = -1; after !== last; pages += 1) {
    const { text, body } = await answerOf(`/v1/events?after=${after}&limit=1000&resourceId=${id}`)
    expect(text.length).toBeLessThan(5 * mebibyte)
    counts.push(...body.items)
    last = after
    after = body.next
  }
  expect(pages).toBeGreaterThan(2)
  expect(counts).toHaveLength(29)
  const list = await answerOf('/v1/projects?limit=500')
  expect(list.text.length).toBeLessThan(5 * mebibyte)
  expect(list.body.next).not.toBeNull()
  const all = await client.projects.listAll({})
  expect(all.filter(({ metadata }) => metadata.name.startsWith('one-of-many-'))).toHaveLength(26)
})

test('a host with more plans than fit into one message synchronises and gets machines again', async () => {
  const { client } = installation
  const projectId = await projectOf('before-the-bound', 1_000)
  const make = async (): Promise<Environment> =>
    client.environments.create({ spec: { projectId, environmentClassId } })
  // Like one that was created before the limit existed.
  await sql.query(`UPDATE projects SET spec = jsonb_set(spec, '{variables}', $2::jsonb) WHERE id = $1`, [
    projectId,
    JSON.stringify(variablesOf(1.5 * mebibyte)),
  ])
  for (let count = 0; count < 7; count += 1) {
    const { metadata } = await make()
    await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  }
  await sql.query(`UPDATE projects SET spec = jsonb_set(spec, '{variables}', '{}') WHERE id = $1`, [
    projectId,
  ])
  await agent.stop()
  agent = await startSyntheticAgent(installation, { name: 'host', identityOf: agent })
  const { metadata } = await make()
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
})
