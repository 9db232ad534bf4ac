import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { HearthClient } from '@hearth/client'
import type { EnvironmentOrder, StepStatus } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilPool } from './following.ts'
import { newOrganization } from './hostile-party.ts'
import { type Replicas, startReplicas } from './replicas.ts'
import { createStep, type ScriptedRunner, startScriptedRunner } from './scripted-runner.ts'
import { startSyntheticAgent } from './synthetic-agent.ts'

const mebibyte = 1024 * 1024
let replicas: Replicas
let sql: pg.Client
let other: HearthClient
let runner: ScriptedRunner

/** Random, so that it cannot be compressed; some bytes below the largest allowed plan. */
const variables = () =>
  Object.fromEntries(
    Array.from({ length: 4 }, (_, index) => [`V${index}`, randomBytes(48_900).toString('base64')]),
  )

beforeAll(async () => {
  replicas = await startReplicas(1)
  sql = new pg.Client({ connectionString: replicas.database.url })
  await sql.connect()
  const { url, nats } = replicas
  other = new HearthClient({ url, token: await newOrganization(replicas, 'other') })
  const way = { url: nats.urls[0] ?? '', controlPlaneCredentials: nats.controlPlaneCredentials }
  const project = { variables: variables(), secrets: { TOKEN: 'first' } }
  runner = await startScriptedRunner({ client: other, url, nats: way }, 50, project)
})
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await sql?.end()
  await replicas?.[Symbol.asyncDispose]()
})

/** Asks for every page of a synchronisation, as an agent with these orders does. */
async function synchronise(held: Record<string, string>) {
  const orders: EnvironmentOrder[] = []
  const unchanged: string[] = []
  const pages: number[] = []
  for (let after: string | null = null; ; ) {
    const { runnerId, epoch } = runner
    const reply = await runner.messaging.requestSync({ runnerId, epoch, inventory: [], held, after }, 20_000)
    if (!reply.accepted) throw new Error(reply.reason)
    pages.push(JSON.stringify(reply).length)
    orders.push(...reply.orders.filter((order) => order.kind === 'environment'))
    unchanged.push(...(reply.unchanged ?? []))
    after = reply.next ?? null
    if (after === null) return { orders, unchanged, pages, bytes: pages.reduce((sum, size) => sum + size) }
  }
}

const digestsOf = (orders: readonly EnvironmentOrder[]) =>
  Object.fromEntries(orders.map(({ id, digest = '' }) => [id, digest]))

test('a host with 50 machines of the largest plan gets each order once, and again only if it changes', async () => {
  const all = await synchronise({})
  expect(all.orders.map(({ id }) => id).sort()).toEqual([...runner.machines].sort())
  expect(Math.max(...all.pages)).toBeLessThan(5 * mebibyte)
  expect(all.bytes).toBeGreaterThan(50 * 250_000)

  const held = digestsOf(all.orders)
  const again = await synchronise(held)
  expect(again.orders).toEqual([])
  expect(again.unchanged.sort()).toEqual([...runner.machines].sort())
  expect(again.bytes).toBeLessThan(8 * 1024)

  const [gone = ''] = runner.machines
  await other.environments.delete(gone)
  const changed = await synchronise(held)
  expect(changed.orders.find(({ id }) => id === gone)?.desiredPhase).toBe('deleted')
  expect(changed.unchanged).toHaveLength(49)

  const projectId = (await other.environments.get(runner.machines[1] ?? '')).spec.projectId
  await other.projects.update(projectId, { spec: { secrets: { TOKEN: 'second' } } })
  const sealed = await synchronise({ ...held, ...digestsOf(changed.orders) })
  expect(sealed.unchanged).toEqual([])
  expect(sealed.orders.length).toBeGreaterThanOrEqual(50)
})

test('the output of many steps is whole where one machine is shown, and cut to its end in lists and events', async () => {
  const id = runner.machines[2] ?? ''
  const output = randomBytes(3_000).toString('base64')
  const steps = (count: number): StepStatus[] =>
    Array.from({ length: 200 }, (_, index) => ({
      ...createStep(`${index}:${output}`),
      name: 'repo_setup',
      repository: `r${index}`,
      phase: index < count ? 'succeeded' : 'pending',
    }))
  for (let sequence = 1; sequence <= 20; sequence += 1)
    await runner.messaging.publishReport(runner.report(id, sequence, { steps: steps(sequence) }))
  const shown = await eventually(
    async () => {
      const environment = await other.environments.get(id)
      return environment.status.steps[19]?.phase === 'succeeded' ? environment : null
    },
    { timeoutMilliseconds: 20_000 },
  )
  expect(shown.status.steps.map(({ output: printed }) => printed.length)).toEqual(
    steps(0).map((step) => step.output.length),
  )
  const { rows } = await sql.query<{ most: number; steps: number }>(
    `SELECT max(octet_length(resource::text)) AS most, max(jsonb_array_length(resource->'status'->'steps')) AS steps
     FROM events WHERE resource_id = $1`,
    [id],
  )
  expect(rows[0]?.steps).toBe(200)
  expect(rows[0]?.most).toBeLessThan(96 * 1024)
  const listed = (await other.environments.listAll({})).find(({ metadata }) => metadata.id === id)
  expect(JSON.stringify(listed).length).toBeLessThan(96 * 1024)
  const last = listed?.status.steps.at(-1)
  expect(last?.output).toBe(`199:${output}`.slice(-1024))
})

test('a runner whose steps restart again and again does not let its job’s log grow without end', async () => {
  const id = runner.machines[3] ?? ''
  const steps = (phase: StepStatus['phase']): StepStatus[] =>
    Array.from({ length: 200 }, (_, index) => ({
      ...createStep(''),
      name: 'repo_setup',
      repository: `r${index}`,
      phase,
    }))
  for (let sequence = 1; sequence <= 24; sequence += 1) {
    const phase = sequence % 2 === 0 ? 'pending' : 'running'
    await runner.messaging.publishReport(runner.report(id, sequence, { steps: steps(phase) }))
  }
  await runner.messaging.publishReport(runner.report(id, 25, { steps: steps('succeeded') }))
  await eventually(async () => (await other.environments.get(id)).status.steps[0]?.phase === 'succeeded', {
    timeoutMilliseconds: 20_000,
  })
  const [listed] = await other.jobs.listAll({ resourceId: id })
  const shown = await other.jobs.get(listed?.id ?? '')
  expect(shown.log.length).toBeGreaterThan(1_000)
  // A log of fewer than 1,000 entries still takes all entries of the next batch of reports, at most 1,200.
  expect(shown.log.length).toBeLessThan(2_300)
  expect(listed?.log).toEqual(shown.log.slice(-(listed?.log.length ?? 0)))
  expect(listed?.log.map(({ message }) => message).join('').length).toBeLessThanOrEqual(16 * 1024)
})

test('a pool of ten machines of the largest plan costs few bytes of events, small pages and little memory', async () => {
  const { client, folder, url, token } = replicas
  await using _agent = await startSyntheticAgent({ client, folder, url }, { name: 'host' })
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'largest',
    variables: variables(),
    warmPools: [{ min: 10 }],
  })
  await untilPool(client, warmPools[0]?.id ?? '', ({ status }) => status.phase === 'ready')
  const { rows } = await sql.query<{ bytes: string }>(
    `SELECT sum(octet_length(resource::text)) AS bytes FROM events
     WHERE organization_id = (SELECT organization_id FROM projects WHERE name = 'largest')`,
  )
  // Before the limit: 166 MB, a page of 111 MiB and 898 MiB of memory.
  expect(Number(rows[0]?.bytes)).toBeLessThan(3 * mebibyte)
  const headers = { Authorization: `Bearer ${token}` }
  const page = await (await fetch(`${url}/v1/events?limit=1000`, { headers })).text()
  expect(page.length).toBeLessThan(3 * mebibyte)
  const peak = peakMebibytes(replicas.replicas[0]?.pid ?? 0)
  console.info(`events ${rows[0]?.bytes} bytes, page ${page.length} bytes, control plane at most ${peak} MiB`)
  expect(peak).toBeLessThan(450)
})

/** Maximum memory of the process so far, including the 50 machines of the other organization. */
function peakMebibytes(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kibibytes) / 1024)
}
