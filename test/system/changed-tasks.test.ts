import type { Task } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

let installation: Installation
let agent: SyntheticAgent
let environment: string
beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  const { client } = installation
  const { projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    tasks: { build: { command: 'echo build' } },
  })
  const environmentClassId = (await client.environmentClasses.get('small')).metadata.id
  const { metadata } = await client.environments.create({ spec: { projectId, environmentClassId } })
  environment = metadata.id
  await untilEnvironment(client, environment, ({ status }) => status.phase === 'running')
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const tasks = () => installation.client.tasks
const make = (command: string, more: object = {}) =>
  tasks().create({ spec: { environment, command, ...more } })
const untilPhase = (id: string, phase: Task['status']['phase']) =>
  until(
    installation.client,
    'the task',
    () => tasks().get(id),
    ({ status }) => status.phase === phase,
  )

test('a task runs what it was changed to, and keeps what was not given', async () => {
  const { metadata } = await make('echo one', { start: false, variables: { STAGE: 'test' } })
  const changed = await tasks().update(metadata.id, { spec: { command: 'exit 4' } })
  expect(changed.spec).toMatchObject({ command: 'exit 4', variables: { STAGE: 'test' }, request: 0 })
  expect(changed.specVersion).toBe(2)
  await tasks().start(metadata.id)
  const failed = await untilPhase(metadata.id, 'failed')
  expect(failed.status.run).toMatchObject({ number: 1, exitCode: 4 })
  await tasks().update(metadata.id, { spec: { command: 'echo two' } })
  await tasks().start(metadata.id)
  const done = await untilPhase(metadata.id, 'succeeded')
  expect(done.status.run).toMatchObject({ number: 2, output: 'two\n' })
})

test('while a task runs its labels may change, which does not disturb it, but not its command', async () => {
  const { metadata } = await make('sleep 1; echo done')
  await untilPhase(metadata.id, 'running')
  await expect(tasks().update(metadata.id, { spec: { command: 'echo' } })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('is running: stop it before it is changed'),
  })
  const labelled = await tasks().update(metadata.id, { labels: { kind: 'slow' } })
  expect(labelled.metadata.labels).toEqual({ kind: 'slow' })
  const done = await untilPhase(metadata.id, 'succeeded')
  expect(done.status).toMatchObject({ runs: 1, run: { output: 'done\n' } })
})

test('what is declared is changed where it is, and nothing is made to depend on itself', async () => {
  const [declared] = await until(
    installation.client,
    'the declared task',
    () => tasks().listAll({ environmentId: environment, name: 'build' }),
    (items) => items.length === 1,
  )
  await expect(
    tasks().update(declared?.metadata.id ?? '', { spec: { command: 'echo' } }),
  ).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('declared by its project') })
  const [one, two] = [`a-${newId().slice(-6)}`, `b-${newId().slice(-6)}`]
  const first = await tasks().create({ name: one, spec: { environment, command: 'echo', start: false } })
  await tasks().create({
    name: two,
    spec: { environment, command: 'echo', start: false, dependsOn: [one] },
  })
  await expect(tasks().update(first.metadata.id, { spec: { dependsOn: [two] } })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('does not depend on'),
  })
  await expect(tasks().update(first.metadata.id, { spec: { dependsOn: ['nothing'] } })).rejects.toMatchObject(
    { code: 'invalid' },
  )
})
