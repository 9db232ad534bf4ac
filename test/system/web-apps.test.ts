import { afterAll, beforeAll, expect, test } from 'vitest'
import { appZip } from './app-zip.ts'
import { until, untilEnvironment } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'
import { line, runsOn, shopFile, shopNames, webAppWorld } from './web-app-world.ts'

/** Web apps with the shipped agent, whose synthetic guests read of scripts the whole lines that they know. */
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

test('a web app is made with its spaces, and what is uploaded runs in one', async () => {
  const { client } = installation
  const { name, environmentId, uat } = await world.webApp()
  const space = await client.spaces.get(uat)
  expect(space.metadata.name).toBe(`${name}-uat`)
  expect(space.status).toMatchObject({ phase: 'running', currentDeploymentId: null })
  expect((await client.spaces.why(uat)).sentence).toBe('nothing is deployed to it yet')
  const first = await world.deploy(uat, shopFile({ release: [line('echo migrated')] }))
  expect(first.status.phase).toBe('pending')
  const done = await world.untilOver(first.metadata.id)
  expect(done.status).toMatchObject({ phase: 'succeeded', isCurrent: true, failure: null })
  const after = await world.untilSpace(uat, ({ status }) => status.phase === 'running')
  expect(after.status).toMatchObject({
    currentDeploymentId: first.metadata.id,
    lastDeployment: { id: first.metadata.id, phase: 'succeeded' },
  })
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(first))
  const { items } = await client.jobs.list({ resourceId: first.metadata.id })
  expect(items).toMatchObject([{ operation: 'deployment.run', phase: 'succeeded' }])
  expect(items[0]?.log.map(({ message }) => message)).toEqual([
    'what was uploaded is deployed',
    'unpacking the archive, and installing what it depends on',
    'running the release commands',
    'release command 1 of 1 is done',
    'starting its processes',
    'all its processes are ready: leading requests to them',
    'requests are led to it',
  ])
})

test('what is not to be is refused, and the place of the fault is told', async () => {
  const { client } = installation
  const { name, environmentId, uat, production } = await world.webApp()
  const spec = { environment: environmentId, runtime: 'nodejs' as const }
  await expect(client.webApps.create({ name: 'second', spec })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`has web app ${name} already`),
  })
  const free = { ...spec, environment: await world.machine() }
  await expect(client.webApps.create({ name, spec: free })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`the name ${name} is taken`),
  })
  await expect(client.webApps.create({ name: 'shop-uat', spec: free })).rejects.toMatchObject({
    code: 'invalid',
    details: [{ field: 'body.name' }],
  })
  const ruby = { ...free, runtime: 'ruby' } as unknown as typeof free
  await expect(client.webApps.create({ name: 'ruby', spec: ruby })).rejects.toMatchObject({
    details: [{ field: 'body.spec.runtime' }],
  })
  await expect(client.webApps.update(name, { spec: { cache: 'redis' } })).rejects.toMatchObject({
    code: 'invalid',
    details: [{ field: 'body.spec.cache' }],
  })
  await expect(client.spaces.promote(uat)).rejects.toMatchObject({
    code: 'conflict',
    message: `nothing is deployed in space ${name}-uat: deploy to it before it is promoted`,
  })
  await expect(client.spaces.promote(production)).rejects.toMatchObject({ code: 'conflict' })
  await expect(client.spaces.rollback(uat)).rejects.toMatchObject({ code: 'conflict' })
  await expect(world.deploy(uat, shopFile({ more: '[app]\nruntime = "nodejs"' }))).rejects.toThrow(
    'bentocloud.toml.app.runtime',
  )
  const many = `[processes.more]\ncommand = "sleep 1"\ninstances = 10`
  await expect(world.deploy(uat, shopFile({ more: many }))).rejects.toThrow('these are 13')
  const [setUp] = await client.tasks.listAll({ environmentId, name: 'app-set-up' })
  await expect(client.tasks.delete(setUp?.metadata.id ?? '')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('is kept by web app'),
  })
})

test('a release takes the place of the one before, is promoted as it is, and gone back from', async () => {
  const { client } = installation
  const { environmentId, uat, production } = await world.webApp()
  const first = await world.deployed(uat)
  const second = await world.deployed(uat, shopFile({ more: '# another one' }))
  await world.untilServices(environmentId, (services) => services.length === 3)
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(second))
  expect((await client.deployments.get(first.metadata.id)).status).toMatchObject({
    phase: 'succeeded',
    isCurrent: false,
  })
  const promoted = await world.untilOver((await client.spaces.promote(uat)).metadata.id)
  expect(promoted.status.phase).toBe('succeeded')
  expect(promoted.spec).toMatchObject({
    spaceId: production,
    artifactId: second.spec.artifactId,
    origin: 'promote',
    ofDeploymentId: second.metadata.id,
  })
  const back = await world.untilOver((await client.spaces.rollback(uat)).metadata.id)
  expect(back.spec).toMatchObject({
    releaseId: first.metadata.id,
    artifactId: first.spec.artifactId,
    origin: 'rollback',
  })
  expect(back.status).toMatchObject({ phase: 'succeeded', isCurrent: true })
  await world.untilServices(environmentId, (services) => services.length === 6)
  const running = await world.running(environmentId)
  expect(new Set(Object.keys(running))).toEqual(
    new Set([...shopNames(back), ...shopNames(promoted, 'production')]),
  )
  // What was prepared is kept, so that nothing is unpacked again.
  expect(Object.keys(await world.ranTasks(environmentId))).not.toContain(
    `app-uat-prepare-${back.metadata.id.slice(-8)}`,
  )
  await expect(client.spaces.rollback(uat)).rejects.toMatchObject({
    message: expect.stringContaining('has no release before the present one'),
  })
  const forth = await client.spaces.rollback(uat, { deploymentId: second.metadata.id })
  expect((await world.untilOver(forth.metadata.id)).status.phase).toBe('succeeded')
})

test('a deployment waits for the one before it, and gives way to one that is asked for after it', async () => {
  const { environmentId, uat } = await world.webApp()
  const first = await world.deploy(uat, shopFile({ release: [line('sleep 2')] }))
  const second = await world.deploy(uat, shopFile({ more: '# second' }))
  const third = await world.deploy(uat, shopFile({ more: '# third' }))
  const over = await Promise.all([first, second, third].map(({ metadata }) => world.untilOver(metadata.id)))
  expect(over.map(({ status }) => [status.phase, status.isCurrent])).toEqual([
    ['succeeded', expect.any(Boolean)],
    ['cancelled', false],
    ['succeeded', true],
  ])
  await world.untilServices(environmentId, (services) => services.length === 3)
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(third))
})

test('what runs comes again when its machine was stopped and started', async () => {
  const { client } = installation
  const { environmentId, production } = await world.webApp()
  const { metadata } = await world.deployed(production)
  const turn = async (desiredPhase: 'stopped' | 'running') => {
    await client.environments.update(environmentId, { spec: { desiredPhase } })
    await untilEnvironment(client, environmentId, ({ status }) => status.phase === desiredPhase)
  }
  await turn('stopped')
  const late = await world.deploy(production)
  const waiting = await world.untilDeployment(late.metadata.id, ({ status }) => status.waitsFor !== null)
  expect(waiting.status.waitsFor).toMatch(/^environment m-\w+ to be started: it is stopped$/)
  await client.deployments.cancel(late.metadata.id)
  await world.untilOver(late.metadata.id)
  await turn('running')
  await world.untilSpace(production, ({ status }) => status.phase === 'running')
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames({ metadata }, 'production'))
})

test('a space is stopped and started, and a deployment on its way is cancelled', async () => {
  const { client } = installation
  const { environmentId, uat } = await world.webApp()
  const first = await world.deployed(uat)
  await client.spaces.update(uat, { spec: { desired: 'stopped' } })
  await world.untilSpace(uat, ({ status }) => status.phase === 'stopped')
  expect(await world.running(environmentId)).toEqual({})
  await client.spaces.update(uat, { spec: { desired: 'running' } })
  await world.untilSpace(uat, ({ status }) => status.phase === 'running')
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(first))
  const slow = await world.deploy(uat, shopFile({ release: [line('sleep infinity')] }))
  await world.untilDeployment(slow.metadata.id, ({ status }) => status.phase === 'releasing')
  await expect(client.spaces.update(uat, { spec: { desired: 'stopped' } })).rejects.toMatchObject({
    code: 'conflict',
  })
  await client.deployments.cancel(slow.metadata.id)
  expect((await world.untilOver(slow.metadata.id)).status).toMatchObject({
    phase: 'cancelled',
    failure: { message: 'it was cancelled' },
  })
  expect(Object.keys(await world.running(environmentId))).toEqual(shopNames(first))
})

test('the cron jobs of a space are tasks with its variables, which come and go with what is wanted', async () => {
  const { client } = installation
  const { environmentId, uat } = await world.webApp()
  const nightly = { name: 'nightly', schedule: '0 3 * * *', command: 'python manage.py tidy' }
  const space = await client.spaces.update(uat, {
    spec: { cronJobs: [nightly], variables: { STAGE: 'it is so' } },
  })
  expect(space.spec.cronJobs).toEqual([{ ...nightly, timeZone: 'UTC' }])
  const name = 'app-uat-cron-nightly'
  const tasks = (wanted: (count: number) => boolean) =>
    until(
      client,
      'the cron jobs',
      () => client.tasks.listAll({ environmentId, name }),
      (items) => wanted(items.length),
    )
  expect(await client.tasks.listAll({ environmentId, name })).toEqual([])
  await world.deployed(uat)
  const [task] = await tasks((count) => count === 1)
  expect(task?.spec).toMatchObject({ on: 'cron', schedule: { cron: '0 3 * * *' }, keptBy: { id: uat } })
  expect(task?.spec.command).toContain('it is so')
  await client.spaces.update(uat, { spec: { cronJobs: [] } })
  await tasks((count) => count === 0)
})

test('a web app that is deleted ends all it runs, and one goes with its machine', async () => {
  const { client } = installation
  const { id, name, environmentId, uat } = await world.webApp()
  await world.deployed(uat)
  await client.webApps.delete(name)
  const gone = () =>
    client.webApps.get(id).then(
      () => false,
      () => true,
    )
  await until(client, 'the end of the web app', gone, (isGone) => isGone)
  expect(await client.services.listAll({ environmentId })).toEqual([])
  expect(Object.keys(await world.ranTasks(environmentId))).toEqual(
    expect.arrayContaining(['app-remove-uat', 'app-remove-production']),
  )
  await until(
    client,
    'the end of its routes',
    () => client.routes.listAll({ environmentId }),
    (routes) => routes.length === 0,
  )
  // The name and the machine are free again.
  const again = await client.webApps.create({
    name,
    spec: { environment: environmentId, runtime: 'nodejs' },
  })
  await client.environments.delete(environmentId)
  const alsoGone = () =>
    client.webApps.get(again.metadata.id).then(
      () => false,
      () => true,
    )
  await until(client, 'the end of the web app', alsoGone, (isGone) => isGone)
})

test('an upload under one key is deployed once', async () => {
  const { uat } = await world.webApp()
  const zip = await appZip(shopFile({ web: runsOn }))
  const send = async () => {
    const response = await fetch(`${installation.url}/v1/spaces/${uat}/deployments`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${installation.token}`,
        'content-type': 'application/zip',
        'idempotency-key': 'once',
      },
      body: zip,
    })
    return [response.status, await response.text()]
  }
  const first = await send()
  expect(first[0]).toBe(201)
  expect(await send()).toEqual(first)
  expect(await installation.client.deployments.listAll({ spaceId: uat })).toHaveLength(1)
})
