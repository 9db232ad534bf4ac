import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { KubeConfig, Watch } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilEnvironment } from '../../system/following.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { type Ground, newName, startGround } from './ground.ts'

// Sessions whose targets are real tasks and services, on synthetic machines, as a client of Tilt's sees them.
let ground: Ground
let agent: SyntheticAgent
beforeAll(async () => {
  ground = await startGround()
  agent = await startSyntheticAgent(ground.installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
})
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await ground?.[Symbol.asyncDispose]()
})

interface Seen {
  type: string
  object: {
    metadata: { name: string }
    status: { done: boolean; error?: string; targets: { name: string; type: string; state: object }[] }
  }
}

/** A machine, and a session of CI about it whose caller has done its part. */
async function sessionOfMachine(ci: object = {}): Promise<{ environment: string; session: string }> {
  const { client } = ground
  const name = `p-${newId().slice(-12)}`
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name })
  const { metadata } = await client.environments.create({
    name: `m-${name}`,
    spec: { projectId, environmentClassId: (await client.environmentClasses.get('small')).metadata.id },
  })
  await untilEnvironment(client, metadata.id, ({ status }) => status.phase === 'running')
  const session = newName()
  await client.sessions.create({
    name: session,
    spec: { file: 'hearth.yaml', exitCondition: 'ci', project: name, environment: metadata.id, ci },
    leaseSeconds: 600,
  })
  await client.sessions.report(session, [
    { name: '(hearth.yaml):update', state: { kind: 'terminated' } },
    { name: 'tasks:update', state: { kind: 'active' } },
  ])
  return { environment: metadata.id, session }
}

const allAreBegun = (session: string) =>
  ground.client.sessions.report(session, [{ name: 'tasks:update', state: { kind: 'terminated' } }])

/** What a watch by name sees until the session is done, and each state that a target was in. */
async function watchToItsEnd(session: string, work: () => Promise<unknown>) {
  const config = new KubeConfig()
  config.loadFromString(ground.kubeconfig)
  const seen: Seen[] = []
  const query = { fieldSelector: `metadata.name=${session}`, resourceVersion: '0' }
  const request = await new Watch(config).watch(
    '/apis/tilt.dev/v1alpha1/sessions',
    query,
    (type: string, object: Seen['object']) => seen.push({ type, object }),
    () => undefined,
  )
  await work()
  await eventually(async () => seen.at(-1)?.object.status.done === true || null, {
    timeoutMilliseconds: 60_000,
  })
  request.abort()
  const statesOf = (name: string) => {
    const states = seen.flatMap(({ object }) =>
      object.status.targets
        .filter((one) => one.name === name)
        .map(({ state }) => Object.keys(state)[0] ?? 'none'),
    )
    return states.filter((state, index) => state !== states[index - 1])
  }
  const last = seen.at(-1)?.object.status
  return {
    types: seen.map(({ type }) => type),
    statesOf,
    last,
    lastOf: (name: string) => last?.targets.find((one) => one.name === name),
  }
}

test('a task that passes after a service that is ready: the session is done without an error', async () => {
  const { environment, session } = await sessionOfMachine()
  const { client } = ground
  const { types, statesOf, last, lastOf } = await watchToItsEnd(session, async () => {
    await client.services.create({
      name: 'db',
      spec: {
        environment,
        command: 'sleep 0.3; echo up; sleep infinity',
        readiness: { kind: 'log', contains: 'up' },
      },
    })
    await client.tasks.create({
      name: 'test',
      spec: { environment, command: 'echo tested; sleep 0.3', dependsOn: ['db'] },
    })
    await allAreBegun(session)
  })
  expect([types[0], ...new Set(types.slice(1))]).toEqual(['ADDED', 'MODIFIED'])
  expect(last).toMatchObject({ done: true })
  expect(last).not.toHaveProperty('error')
  expect(statesOf('test:update').slice(-2)).toEqual(['active', 'terminated'])
  expect(lastOf('test:update')).toMatchObject({ type: 'job', resources: ['test'], state: { terminated: {} } })
  expect(lastOf('db:serve')).toMatchObject({
    type: 'server',
    state: { active: { ready: true, lastReadyTime: expect.stringMatching(/\.\d{6}Z$/) } },
  })
})

test('a task that fails: the session is done with its error', async () => {
  const { environment, session } = await sessionOfMachine()
  const { last, lastOf } = await watchToItsEnd(session, async () => {
    await ground.client.tasks.create({ name: 'test', spec: { environment, command: 'sleep 0.2; exit 3' } })
    await allAreBegun(session)
  })
  const error = 'the task ended with exit code 3'
  expect(last).toMatchObject({ done: true, error })
  expect(lastOf('test:update')).toMatchObject({ state: { terminated: { error } } })
})

test('a service that ends: an error, which the grace period lets pass and no longer', async () => {
  const crash = async (ci: object) => {
    const { environment, session } = await sessionOfMachine(ci)
    // Without a check of its own the service is ready as soon as it runs: other work must be left when it ends.
    return watchToItsEnd(session, () =>
      ground.client.services.create({
        name: 'web',
        spec: {
          environment,
          command: 'exit 1',
          restart: { policy: 'always', limit: 100, firstSeconds: 1, mostSeconds: 1 },
        },
      }),
    )
  }
  const [strict, patient] = await Promise.all([crash({}), crash({ gracePeriodSeconds: 3 })])
  expect(strict.last?.error).toMatch(/exit code 1/)
  expect(strict.last?.error).not.toMatch(/grace/)
  expect(patient.last?.error).toMatch(/^exceeded grace period: .*exit code 1/)
  expect(patient.lastOf('web:serve')).toMatchObject({ state: { terminated: { graceStatus: 'Exceeded' } } })
})

test('what had ended before does not count', async () => {
  const { environment, session: first } = await sessionOfMachine()
  await watchToItsEnd(first, async () => {
    await ground.client.tasks.create({ name: 'old', spec: { environment, command: 'exit 3' } })
    await allAreBegun(first)
  })
  const second = newName()
  await ground.client.sessions.create({
    name: second,
    spec: { file: 'hearth.yaml', exitCondition: 'ci', environment },
    leaseSeconds: 600,
  })
  await ground.client.sessions.report(second, [{ name: 'tasks:update', state: { kind: 'active' } }])
  const { last, lastOf } = await watchToItsEnd(second, async () => {
    await ground.client.tasks.create({ name: 'new', spec: { environment, command: 'exit 0' } })
    await allAreBegun(second)
  })
  expect(last).not.toHaveProperty('error')
  expect(lastOf('old:update')).toMatchObject({ state: {} })
  expect(Object.keys(lastOf('old:update')?.state ?? {})).toEqual([])
})
