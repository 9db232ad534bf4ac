import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'
import { line, runsOn, shopFile, shopNames, webAppWorld } from './web-app-world.ts'

/** Deployments that fail at each step: what ran goes on. */
let installation: Installation
let agent: SyntheticAgent

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const world = webAppWorld(() => installation)
const clock = `[processes.clock]\ncommand = ${JSON.stringify(runsOn)}\nsingleton = true`

const faults = [
  {
    step: 'its preparation',
    // The synthetic guest reads a line of the script, here of a variable.
    variables: { FAULT: line('exit 4') },
    file: shopFile(),
    message: /^task app-uat-prepare-\w+: the task ended with exit code 4$/,
  },
  {
    step: 'a release command',
    variables: {},
    file: shopFile({ release: [line('echo one'), `${line('echo nothing to migrate')}exit 3\n`] }),
    message: /^task app-uat-release-2-\w+: the task ended with exit code 3$/,
    lastLines: ['nothing to migrate'],
  },
  {
    step: 'a process that does not stay',
    variables: {},
    file: shopFile({ worker: `${line('echo no database')}exit 1\n` }),
    message: /^service app-uat-worker-\d-\w+: the service ended with exit code 1/,
    lastLines: ['no database'],
  },
] as const

test.each(faults)(
  'where $step fails, the release before goes on, nothing of the new one is left, and the cause is told',
  async ({ step: _, variables, file, message, ...more }) => {
    const { client } = installation
    const { environmentId, uat } = await world.webApp()
    const first = await world.deployed(uat, shopFile({ more: clock }))
    await client.spaces.update(uat, { spec: { variables } })
    const { metadata } = await world.deploy(uat, `${file}${clock}`)
    const failed = await world.untilOver(metadata.id)
    expect(failed.status).toMatchObject({
      phase: 'failed',
      isCurrent: false,
      failure: { message: expect.stringMatching(message), ...more },
    })
    const clockName = `app-uat-clock-1-${first.metadata.id.slice(-8)}`
    const kept = [...shopNames(first), clockName].toSorted()
    await world.untilServices(environmentId, (services) => {
      const running = services.filter(({ status }) => status.phase === 'running')
      return services.length === 4 && running.length === 4
    })
    expect(Object.keys(await world.running(environmentId)).toSorted()).toEqual(kept)
    const space = await world.untilSpace(uat, ({ status }) => status.phase === 'running')
    expect(space.status).toMatchObject({
      currentDeploymentId: first.metadata.id,
      lastDeployment: { id: metadata.id, phase: 'failed' },
    })
    const [last] = (await world.log(metadata.id)).slice(-1)
    expect(last).toMatchObject({ level: 'error', message: expect.stringMatching(/ended with exit code/) })
    expect((await client.deployments.why(metadata.id)).sentence).toMatch(message)
    // What it failed with can be read until the next one, which goes well.
    await client.spaces.update(uat, { spec: { variables: {} } })
    const next = await world.deployed(uat, shopFile({ more: clock }))
    expect(next.status.phase).toBe('succeeded')
  },
)

test('a process that must be alone has ended before the next begins, and begins again when that fails', async () => {
  const { client } = installation
  const { environmentId, uat } = await world.webApp()
  const first = await world.deployed(uat, shopFile({ more: clock }))
  const second = await world.deployed(uat, shopFile({ more: clock }))
  const failing = `${clock}\n[processes.late]\ncommand = ${JSON.stringify(`${line('sleep 1')}exit 1\n`)}`
  const third = await world.deployed(uat, shopFile({ more: failing }))
  expect([first, second, third].map(({ status }) => status.phase)).toEqual([
    'succeeded',
    'succeeded',
    'failed',
  ])
  await world.untilServices(environmentId, (services) =>
    services.some(({ metadata, status }) => metadata.name.includes('clock') && status.phase === 'running'),
  )
  const clocks = new Map<string, string>()
  const { items } = await client.events.list({ kind: 'Service', after: 0, limit: 1_000 })
  for (const { verb, resource } of items) {
    const { metadata, spec, status } = resource as unknown as Awaited<ReturnType<typeof client.services.get>>
    if (spec.environmentId !== environmentId || !metadata.name.includes('-clock-')) continue
    clocks.set(metadata.name, verb === 'deleted' ? 'gone' : status.phase)
    const active = [...clocks].filter(([, phase]) =>
      ['starting', 'running', 'restarting', 'stopping'].includes(phase),
    )
    expect(active.length, JSON.stringify(active)).toBeLessThanOrEqual(1)
  }
  expect(clocks.get(`app-uat-clock-1-${second.metadata.id.slice(-8)}`)).toBe('running')
})

test('a deployment whose machine crashes fails, and what ran before runs again', async () => {
  const { environmentId, uat } = await world.webApp()
  const first = await world.deployed(uat)
  const { metadata } = await world.deploy(uat, shopFile({ release: [line('sleep infinity')] }))
  await world.untilDeployment(metadata.id, ({ status }) => status.step?.includes('release-1') ?? false)
  const [task] = await installation.client.tasks.listAll({
    environmentId,
    name: `app-uat-release-1-${metadata.id.slice(-8)}`,
  })
  await until(
    installation.client,
    'the release command',
    () => installation.client.tasks.get(task?.metadata.id ?? ''),
    ({ status }) => status.phase === 'running',
  )
  agent.crash(environmentId)
  const failed = await world.untilOver(metadata.id)
  expect(failed.status.failure?.message).toMatch(/release-1-\w+: the task was cut short/)
  await world.untilSpace(uat, ({ status }) => status.phase === 'running')
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(first))
})

test('a process that never answers fails its deployment by its deadline, which names it', async () => {
  const { uat } = await world.webApp()
  const { metadata } = await world.deploy(
    uat,
    `[processes.web]\ncommand = ${JSON.stringify(runsOn)}\nhttp = true\nhealth_check = "/unhealthy"`,
  )
  const starting = await world.untilDeployment(metadata.id, ({ status }) => status.phase === 'starting')
  expect(Date.parse(starting.status.deadline ?? '')).toBeGreaterThan(Date.now())
  expect((await installation.client.deployments.why(metadata.id)).next).toContain('it fails unless')
  await installation.client.deployments.cancel(metadata.id)
  expect((await world.untilOver(metadata.id)).status.phase).toBe('cancelled')
})
