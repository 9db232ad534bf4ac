import type { Service, Task } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run } from './command.ts'
import { until, untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** What becomes of tasks and services in machines that are put back to a checkpoint, and in forks. */
let installation: Installation
let agent: SyntheticAgent
let claim: string
let environment: string

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  const { client } = installation
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    warmPools: [{ min: 1 }],
    services: { web: { command: 'sleep infinity' } },
  })
  await untilPool(client, warmPools[0]?.id ?? '', ({ status }) => status.ready === 1)
  const claimed = await hearth('claim', 'shop', '-o', 'json')
  expect(claimed.status, claimed.stderr).toBe(0)
  const [one] = await client.claims.listAll({})
  claim = one?.metadata.name ?? ''
  environment = one?.status.environmentId ?? ''
})
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)
const untilTask = (id: string, wanted: (task: Task) => boolean) =>
  until(installation.client, 'the task', () => installation.client.tasks.get(id), wanted)
const untilWeb = (environmentId: string, wanted: (service: Service) => boolean) =>
  until(
    installation.client,
    'the service',
    async () => (await installation.client.services.listAll({ environmentId, name: 'web' }))[0],
    (service) => service !== undefined && wanted(service),
  )
const task = async (command: string) =>
  (await installation.client.tasks.create({ spec: { environment, command } })).metadata.id
const isRunning = ({ status }: Task | Service) => status.phase === 'running'

test('a machine that is put back begins its services again, and says of a task that it was cut short', async () => {
  await untilWeb(environment, isRunning)
  const done = await task('echo done')
  await untilTask(done, ({ status }) => status.phase === 'succeeded')
  const across = await task('sleep infinity')
  await untilTask(across, isRunning)
  expect((await hearth('checkpoint', claim)).status).toBe(0)
  const later = await task('sleep infinity')
  await untilTask(later, isRunning)
  const restored = await hearth('restore', claim)
  expect(restored.status, restored.stderr).toBe(0)
  const web = await untilWeb(environment, (service) => isRunning(service) && service.status.runs > 1)
  expect(web?.spec.request).toBe(2)
  for (const id of [across, later]) {
    const lost = await untilTask(id, ({ status }) => status.phase === 'failed')
    expect(lost.status.failure?.message).toBe(
      'the task was cut short, since its machine was put back to a checkpoint',
    )
  }
  expect((await installation.client.tasks.get(done)).status).toMatchObject({ phase: 'succeeded', runs: 1 })
})

test('a fork has none of the runs of its origin, which go on', async () => {
  const { client } = installation
  const going = await task('sleep infinity')
  await untilTask(going, isRunning)
  const before = await untilWeb(environment, isRunning)
  const forked = await hearth('fork', claim, '-o', 'json')
  expect(forked.status, forked.stderr).toBe(0)
  const fork = JSON.parse(forked.stdout).forks[0].environmentId
  const web = await untilWeb(fork, isRunning)
  expect(web?.status.runs).toBe(1)
  expect(await client.tasks.listAll({ environmentId: fork })).toEqual([])
  expect(await client.tasks.get(going)).toMatchObject({ status: { phase: 'running', runs: 1 } })
  expect((await untilWeb(environment, isRunning))?.status.runs).toBe(before?.status.runs)
})
