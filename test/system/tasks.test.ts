import type { Service, Task } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth as run, startHearth } from './command.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { newPublicKey } from './public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** Tasks and services with the shipped agent, whose synthetic guests know `echo`, `sleep` and `exit`. */
let installation: Installation
let agent: SyntheticAgent

const startAgent = (identityOf?: SyntheticAgent) =>
  startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
    ...(identityOf === undefined ? {} : { identityOf }),
  })

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startAgent()
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const hearth = (...words: string[]) => run(installation, ...words)

/** A machine of a project that declares these tasks and services. */
async function machine(declared: object = {}): Promise<string> {
  const { client } = installation
  const name = `p-${newId().slice(-12)}`
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name, ...declared })
  const { metadata } = await client.environments.create({
    name: `m-${name}`,
    spec: { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  return metadata.id
}

const untilTask = (id: string, wanted: (task: Task) => boolean) =>
  until(installation.client, 'the task', () => installation.client.tasks.get(id), wanted)
const untilService = (id: string, wanted: (service: Service) => boolean) =>
  until(installation.client, 'the service', () => installation.client.services.get(id), wanted)
const task = (environment: string, command: string, more: object = {}) =>
  installation.client.tasks.create({ spec: { environment, command, ...more } })
/** One that the project declares, as soon as it is there. */
const one = async (kind: 'tasks' | 'services', environmentId: string, name: string) => {
  const list = async (): Promise<(Task | Service)[]> =>
    installation.client[kind].listAll({ environmentId, name })
  const [found] = await until(installation.client, name, list, (items) => items.length === 1)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}
async function logOf(id: string): Promise<string> {
  let text = ''
  for await (const chunk of installation.client.tasks.logs(id, { signal: AbortSignal.timeout(10_000) }))
    text += chunk.text
  return text
}

test('a command is run to its end, its output and exit status are kept', async () => {
  const environment = await machine()
  const made = await task(environment, 'echo hello; exit 3')
  const failed = await untilTask(made.metadata.id, ({ status }) => status.phase === 'failed')
  expect(failed.status.run).toMatchObject({
    number: 1,
    cause: 'exit',
    exitCode: 3,
    signal: null,
    output: 'hello\n',
  })
  expect(failed.status.failure).toMatchObject({
    code: 'command_failed',
    message: 'the task ended with exit code 3',
    lastLines: ['hello'],
  })
  expect(await logOf(made.metadata.id)).toBe('hello\n')
  expect(await installation.client.tasks.runs(made.metadata.id)).toMatchObject([{ number: 1, exitCode: 3 }])
  // Its runner forgets it, and it can be run again.
  const again = await installation.client.tasks.start(made.metadata.id)
  expect(again.spec.request).toBe(2)
  const twice = await untilTask(
    made.metadata.id,
    ({ status }) => status.run?.number === 2 && status.phase === 'failed',
  )
  expect(twice.status.runs).toBe(2)
})

test('hearth run follows a command and passes its exit status on', async () => {
  const environment = await machine()
  const good = await hearth('run', environment, '--', 'echo one; sleep 0.2; echo two')
  expect([good.status, good.stdout]).toEqual([0, 'one\ntwo\n'])
  expect((await hearth('run', environment, '--', 'exit 7')).status).toBe(7)
  expect((await hearth('run', environment, '--', 'kill -9 $$')).status).toBe(137)
  const late = await hearth('run', environment, '--deadline', '1s', '--', 'sleep infinity')
  expect([late.status, late.stderr]).toEqual([124, 'error: the task was ended at its deadline\n'])
})

test('a command that was left goes on, and is stopped by name', async () => {
  const environment = await machine()
  const { metadata } = await installation.client.environments.get(environment)
  const detached = await hearth(
    'run',
    environment,
    '-d',
    '--name',
    'watch',
    '--',
    'echo there; sleep infinity',
  )
  expect(detached.stdout).toBe(`${environment}/watch\n`)
  const { process, ended } = startHearth(installation, ['logs', '-f', `${metadata.name}/watch`])
  await new Promise<void>((resolve) => process.stdout?.once('data', () => resolve()))
  const stopped = await hearth('stop', `${metadata.name}/watch`)
  expect(stopped.stdout).toMatch(/watch .* stopped +1 +stopped/)
  expect(await ended).toMatchObject({ status: 0, stdout: 'there\n' })
  expect((await hearth('tasks', environment)).stdout).toMatch(/watch .* stopped/)
  expect((await hearth('logs', `${environment}/nothing`)).status).toBe(3)
})

test('what a project declares is there, begins by itself after what it depends on, and cannot be deleted', async () => {
  const environment = await machine({
    tasks: {
      build: { command: 'echo built' },
      test: { command: 'echo tested', dependsOn: ['build', 'db'], on: 'claim' },
      manual: { command: 'exit 0' },
    },
    services: {
      db: { command: 'echo up; sleep infinity', readiness: { kind: 'log', contains: 'up' } },
    },
  })
  const tested = await untilTask(
    (await one('tasks', environment, 'test')).metadata.id,
    ({ status }) => status.phase === 'succeeded',
  )
  const build = await one('tasks', environment, 'build')
  const db = await one('services', environment, 'db')
  expect([build.status.phase, db.status.phase]).toEqual(['succeeded', 'running'])
  const began = Date.parse(tested.status.run?.startedAt ?? '')
  expect(began).toBeGreaterThanOrEqual(Date.parse(build.status.run?.finishedAt ?? ''))
  expect(began).toBeGreaterThanOrEqual(Date.parse(db.status.run?.readyAt ?? ''))
  expect((await one('tasks', environment, 'manual')).status).toMatchObject({ phase: 'idle', runs: 0 })
  await expect(installation.client.tasks.delete(build.metadata.id)).rejects.toMatchObject({
    code: 'conflict',
  })
  // Stopped, it is stopped for whoever wants to depend on it.
  await installation.client.services.stop(db.metadata.id)
  await untilService(db.metadata.id, ({ status }) => status.phase === 'stopped')
  expect((await hearth('why', 'service', db.metadata.id)).stdout).toContain('it was stopped')
})

test('members of a pool have what begins at the start, claims the rest', async () => {
  const { client } = installation
  const name = `p-${newId().slice(-12)}`
  const applied = await client.apply({
    apiVersion: 'hearth/v1',
    name,
    warmPools: [{ min: 1 }],
    services: {
      early: { command: 'sleep infinity', on: 'start' },
      late: { command: 'sleep infinity', on: 'claim' },
    },
  })
  const warmPoolId = applied.warmPools[0]?.id ?? ''
  const early = await until(
    client,
    'the early service',
    () => client.services.list({ name: 'early' }),
    ({ items }) => items.some(({ status }) => status.phase === 'running'),
  )
  const environmentId = early.items[0]?.spec.environmentId ?? ''
  expect((await client.services.list({ environmentId })).items).toHaveLength(1)
  const claim = await client.claims.create({ spec: { warmPoolId, publicKey: newPublicKey() } })
  expect(claim.status.environmentId).toBe(environmentId)
  await until(
    client,
    'the late service',
    () => client.services.list({ claimId: claim.metadata.id, name: 'late' }),
    ({ items }) => items.some(({ status }) => status.phase === 'running'),
  )
  await client.claims.release(claim.metadata.id)
  await until(
    client,
    'the end of the services',
    () => client.services.list({ environmentId }),
    ({ items }) => items.length === 0,
  )
})

test('a service that crashes is restarted with growing pauses until its limit', async () => {
  const environment = await machine()
  const { metadata } = await installation.client.services.create({
    name: 'crashing',
    spec: {
      environment,
      command: 'echo again; exit 1',
      restart: { policy: 'always', limit: 2, firstSeconds: 1, mostSeconds: 1 },
    },
  })
  const failed = await untilService(metadata.id, ({ status }) => status.phase === 'failed')
  expect(failed.status).toMatchObject({ runs: 3, restarts: 2, run: { exitCode: 1 } })
  expect(failed.status.failure?.message).toBe('the service ended with exit code 1 after 2 restarts')
  const runs = await installation.client.services.runs(metadata.id)
  expect(runs.map(({ number }) => number)).toEqual([3, 2, 1])
  expect(Date.parse(runs[0]?.startedAt ?? '') - Date.parse(runs[1]?.finishedAt ?? '')).toBeGreaterThanOrEqual(
    900,
  )
}, 30_000)

test('a service that crashes is started ten times more, and then has failed for good, with its cause', async () => {
  const environment = await machine()
  const { client } = installation
  const { metadata } = await client.services.create({
    name: 'hopeless',
    spec: {
      environment,
      command: 'echo cannot bind; exit 98',
      restart: { policy: 'always', mostSeconds: 1 },
    },
  })
  const failed = await untilService(metadata.id, ({ status }) => status.phase === 'failed')
  expect(failed.status).toMatchObject({ runs: 11, restarts: 10, run: { number: 11, exitCode: 98 } })
  expect(failed.status.failure).toEqual({
    code: 'command_failed',
    message: 'the service ended with exit code 98 after 10 restarts',
    lastLines: ['cannot bind'],
  })
  const why = await hearth('why', 'service', metadata.id)
  expect(why.stdout).toContain('the service ended with exit code 98 after 10 restarts')
  expect(why.stdout).toContain(
    `hearth start ${(await client.environments.get(environment)).metadata.name}/hopeless`,
  )
  // Started by hand, it begins a new row.
  await client.services.start(metadata.id)
  const again = await untilService(metadata.id, ({ status }) => status.runs > 11)
  expect(again.status.restarts).toBeLessThan(10)
}, 60_000)

test('a service that is not ready in time has failed', async () => {
  const environment = await machine()
  const { metadata } = await installation.client.services.create({
    name: 'never-ready',
    spec: {
      environment,
      command: 'sleep infinity',
      restart: 'never',
      readiness: { kind: 'log', contains: 'ready', deadlineSeconds: 1 },
    },
  })
  const failed = await untilService(metadata.id, ({ status }) => status.phase === 'failed')
  expect(failed.status.failure).toMatchObject({
    code: 'deadline_passed',
    message: 'the service was not ready in time',
  })
})

test('an agent that is stopped, and one that is started anew, find what runs: nothing is run twice', async () => {
  const environment = await machine()
  const { metadata } = await task(environment, 'echo one; sleep 4; echo two')
  await untilTask(metadata.id, ({ status }) => status.run !== null)
  await agent.stop()
  agent = await startAgent(agent)
  const ended = await untilTask(metadata.id, ({ status }) => status.phase === 'succeeded')
  expect(ended.status).toMatchObject({ runs: 1, run: { output: 'one\ntwo\n' } })
  expect(await logOf(metadata.id)).toBe('one\ntwo\n')
}, 60_000)

test('a machine that crashes has its services back, and says of a task that it was cut short', async () => {
  const environment = await machine()
  const service = await installation.client.services.create({
    name: 'web',
    spec: { environment, command: 'sleep infinity' },
  })
  const long = await task(environment, 'sleep infinity')
  await untilService(service.metadata.id, ({ status }) => status.phase === 'running')
  await untilTask(long.metadata.id, ({ status }) => status.phase === 'running')
  agent.crash(environment)
  const back = await untilService(
    service.metadata.id,
    ({ status }) => status.phase === 'running' && status.runs === 2,
  )
  expect(back.status.restarts).toBe(0)
  const lost = await untilTask(long.metadata.id, ({ status }) => status.phase === 'failed')
  expect(lost.status.run?.cause).toBe('lost')
}, 60_000)

test('what is stopped with its machine goes on with it', async () => {
  const { client } = installation
  const environment = await machine()
  const { metadata } = await client.services.create({
    name: 'web',
    spec: { environment, command: 'sleep infinity' },
  })
  await untilService(metadata.id, ({ status }) => status.phase === 'running')
  await client.environments.update(environment, { spec: { desiredPhase: 'stopped' } })
  await untilEnvironment(client, environment, ({ status }) => status.phase === 'stopped')
  await client.environments.update(environment, { spec: { desiredPhase: 'running' } })
  await untilService(metadata.id, ({ status }) => status.phase === 'running' && status.runs === 2)
}, 60_000)

test('a task by a schedule is run when it is due, and left alone while it is stopped', async () => {
  const environment = await machine()
  const { metadata, status } = await task(environment, 'echo due', { schedule: { cron: '* * * * *' } })
  expect(status).toMatchObject({ phase: 'idle', runs: 0 })
  const due = Date.parse(status.nextRunAt ?? '')
  expect(due - Date.now()).toBeLessThanOrEqual(60_000)
  // Its time has come, and came twice while nobody looked.
  const sql = new pg.Client(installation.database.url)
  await sql.connect()
  await sql.query(`UPDATE processes SET next_run_at = now() - interval '3 minutes' WHERE id = $1`, [
    metadata.id,
  ])
  await sql.query(
    `SELECT graphile_worker.add_job('reconcile', json_build_object('kind', 'process', 'id', $1::text))`,
    [environment],
  )
  await sql.end()
  const ran = await untilTask(metadata.id, (seen) => seen.status.phase === 'succeeded')
  expect(ran.status.runs).toBe(1)
  expect(Date.parse(ran.status.nextRunAt ?? '')).toBeGreaterThan(Date.now() - 1_000)
  const stopped = await installation.client.tasks.stop(metadata.id)
  expect(stopped.spec.desired).toBe('stop')
})

test('secrets of the project are given by name, and masked in what is printed', async () => {
  const environment = await machine({ secrets: { API_TOKEN: 'abcdefgh12345678' } })
  const { metadata } = await task(environment, 'echo the token is abcdefgh12345678', {
    secrets: ['API_TOKEN'],
  })
  const ended = await untilTask(metadata.id, ({ status }) => status.phase === 'succeeded')
  expect(ended.status.run?.output).toBe('the token is ***\n')
  await expect(task(environment, 'true', { secrets: ['OTHER'] })).rejects.toMatchObject({ code: 'invalid' })
})

test('nothing is run where it cannot be', async () => {
  const { client } = installation
  const environment = await machine()
  await expect(task(environment, ' ')).rejects.toMatchObject({ code: 'invalid' })
  await expect(task(environment, 'true', { dependsOn: ['gone'] })).rejects.toMatchObject({ code: 'invalid' })
  await expect(task(environment, 'true', { folder: '../etc' })).rejects.toMatchObject({ code: 'invalid' })
  await client.tasks.create({ name: 'once', spec: { environment, command: 'sleep infinity' } })
  await expect(
    client.services.create({ name: 'once', spec: { environment, command: 'true' } }),
  ).rejects.toMatchObject({ code: 'conflict' })
  await client.environments.delete(environment)
  await expect(task(environment, 'true')).rejects.toMatchObject({ code: 'conflict' })
})
