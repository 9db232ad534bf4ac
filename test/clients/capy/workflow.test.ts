import { imageStepNames } from '@hearth/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { untilPool } from '../../system/following.ts'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { newPublicKey } from '../../system/public-key.ts'
import { type SyntheticAgent, startSyntheticAgent } from '../../system/synthetic-agent.ts'
import { CapyClient } from './client.ts'

const bootMilliseconds = 60_000
let installation: Installation
let capy: CapyClient
const agents: SyntheticAgent[] = []

/** A project that only the runner of the same name accepts, so that each fails in its own way. */
async function newProject(name: string, failures: Record<string, number> = {}): Promise<string> {
  const { client } = installation
  const agent = await startSyntheticAgent(installation, {
    name,
    labels: { takes: name },
    environment: {
      HEARTH_SYNTHETIC_FAILURES: Object.entries(failures)
        .map(([step, share]) => `${step}:${share}`)
        .join(),
    },
  })
  agents.push(agent)
  await client.environmentClasses.create({
    name,
    labels: {},
    spec: {
      virtualCpus: 1,
      memoryMebibytes: 512,
      diskGibibytes: 4,
      image: 'debian-12',
      runnerSelector: { takes: name },
    },
  })
  const { projectId } = await client.apply({
    apiVersion: 'hearth/v1',
    name,
    repositories: [{ url: 'https://git.invalid/acme/shop.git', setup: ['make'] }],
    variables: { STAGE: 'test' },
    setup: ['make tools'],
    warmPools: [{ environmentClass: name, enabled: false }],
  })
  return projectId
}

const poolPath = (project: string) => `/projects/${project}/warm-pool`

beforeAll(async () => {
  installation = await startInstallation()
  capy = new CapyClient(installation.url, installation.token.replace(/^hearth_/, 'capy_'))
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await installation[Symbol.asyncDispose]()
})

describe('the documented workflow', () => {
  let project: string
  beforeAll(async () => {
    project = await newProject('workflow')
  })

  test('1. the project is found', async () => {
    const { status, body } = await capy.call('GET', '/projects?limit=100')
    expect(status).toBe(200)
    expect(body).toMatchObject({ nextCursor: null, hasMore: false })
    expect(body.items).toContainEqual({
      id: project,
      name: 'workflow',
      taskCode: 'WORK',
      repos: [{ repoFullName: 'acme/shop', branch: null }],
    })
  })

  test('2. the pool is configured; commands are objects or strings', async () => {
    const { status, body } = await capy.call('PATCH', poolPath(project), {
      enabled: true,
      targetSize: 2,
      setupCommands: [{ name: 'Install', command: 'cd shop && npm install' }, 'make warm'],
      maxAgeMinutes: 60,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      enabled: true,
      targetSize: 2,
      branch: null,
      maxAgeMinutes: 60,
      setupCommands: [
        { name: 'Install', command: 'cd shop && npm install' },
        { name: 'make warm', command: 'make warm' },
      ],
      status: { failed: 0 },
    })
    expect((await capy.call('GET', poolPath(project))).body).toMatchObject({ enabled: true, targetSize: 2 })
  })

  test('3. and 4. a test is started without a body, and polled until it is ready', async () => {
    const { status, body } = await capy.call('POST', `${poolPath(project)}/test`)
    expect(status).toBe(200)
    expect(body).toEqual({ id: body.instanceId, instanceId: body.id, status: 'provisioning' })
    const result = await capy.untilBooted(project, body.id, bootMilliseconds)
    expect(result).toMatchObject({
      id: body.id,
      status: 'ready',
      test: true,
      claimedAt: null,
      summary: { success: true, failedStep: null, error: null },
    })
    expect(result.steps.map(({ name }: { name: string }) => name)).toEqual([...imageStepNames])
    const last = result.steps.at(-1)
    expect(last).toMatchObject({ status: 'success', exitCode: 0, error: null })
    expect(last.output).toContain('==> Install')
    expect(Date.parse(last.finishedAt)).toBeGreaterThanOrEqual(Date.parse(last.startedAt))
    expect(last.durationMs).toBeGreaterThanOrEqual(0)
  })

  test('the pool fills, is claimed from, and its status says so', async () => {
    const pool = (await installation.client.warmPools.list({ projectId: project })).items[0]
    await untilPool(installation.client, pool?.metadata.id ?? '', ({ status }) => status.ready === 2)
    const { metadata } = await installation.client.claims.create({
      spec: { project: 'workflow', fallback: 'refuse', publicKey: newPublicKey() },
    })
    const claimed = await capy.call('GET', `${poolPath(project)}/instances?status=claimed`)
    expect(claimed.body.items).toHaveLength(1)
    expect(claimed.body.items[0]).toMatchObject({ status: 'claimed', claimedAt: expect.any(String) })
    expect((await capy.call('GET', poolPath(project))).body.status.claimed).toBe(1)
    await installation.client.claims.release(metadata.id)
  })

  test('clearing removes the members; with replenish the pool fills anew', async () => {
    const before = await capy.call('GET', `${poolPath(project)}/instances?limit=100`)
    const { status, body } = await capy.call('POST', `${poolPath(project)}/clear`, { replenish: true })
    expect(status).toBe(200)
    expect(body.status.ready).toBe(0)
    const pool = (await installation.client.warmPools.list({ projectId: project })).items[0]
    await untilPool(installation.client, pool?.metadata.id ?? '', ({ status: now }) => now.ready === 2)
    const after = await capy.call('GET', `${poolPath(project)}/instances?status=ready&limit=100`)
    const ids = (items: { id: string; test: boolean }[]) =>
      items.filter(({ test: is }) => !is).map(({ id }) => id)
    expect(ids(after.body.items).filter((id) => ids(before.body.items).includes(id))).toEqual([])
    expect((await capy.call('POST', `${poolPath(project)}/clear`, { replenish: false })).status).toBe(200)
    expect((await capy.call('GET', poolPath(project))).body.status).toMatchObject({
      ready: 0,
      provisioning: 0,
    })
  })

  test('lists have pages', async () => {
    for (let made = 0; made < 3; made += 1) await capy.call('POST', `${poolPath(project)}/test`)
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await capy.call('GET', `${poolPath(project)}/instances?limit=2${cursor}`)
      expect(body.items.length).toBeLessThanOrEqual(2)
      expect(body.hasMore).toBe(body.nextCursor !== null)
      seen.push(...body.items.map(({ id }: { id: string }) => id))
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`
    } while (cursor !== '')
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.length).toBeGreaterThanOrEqual(3)
  })
})

describe.each(imageStepNames)('a boot whose step %s fails', (step) => {
  test('is failed, with the step and the cause; the pool does not count the test', async () => {
    const project = await newProject(`fails-${step.replaceAll('_', '-')}`, { [step]: 1 })
    await capy.call('PATCH', poolPath(project), { setupCommands: ['make warm'] })
    const { body } = await capy.call('POST', `${poolPath(project)}/test`, {})
    const result = await capy.untilBooted(project, body.id, bootMilliseconds)
    expect(result).toMatchObject({ status: 'failed', summary: { success: false, failedStep: step } })
    expect(result.summary.error).toEqual(expect.any(String))
    const failed = result.steps.find(({ name }: { name: string }) => name === step)
    expect(failed).toMatchObject({ status: 'failed', error: expect.any(String) })
    expect((await capy.call('GET', poolPath(project))).body.status).toEqual({
      ready: 0,
      provisioning: 0,
      failed: 0,
      claimed: 0,
    })
  })
})

describe('bad input changes nothing', () => {
  let project: string
  beforeAll(async () => {
    project = await newProject('refuses')
  })

  test.each([
    [{ targetSize: -1 }, 'body.targetSize'],
    [{ targetSize: 1.5 }, 'body.targetSize'],
    [{ targetSize: '2' }, 'body.targetSize'],
    [{ setupCommands: [''] }, 'body.setupCommands.0'],
    [{ setupCommands: [{ name: 'x', command: ' ' }] }, 'body.setupCommands.0'],
    [{ size: 3 }, 'body.size'],
    [{ branch: 'no such branch' }, 'body.branch'],
    [{ maxAgeMinutes: 0 }, 'body.maxAgeMinutes'],
    ['{', 'body'],
    [[], 'body'],
  ])('PATCH %j is 422', async (change, field) => {
    const before = (await capy.call('GET', poolPath(project))).body
    const { status, body } = await capy.call('PATCH', poolPath(project), change)
    expect(status).toBe(422)
    expect(body.error).toMatchObject({ code: 'validation_error', message: expect.any(String) })
    expect(body.error.details.fields.map((one: { field: string }) => one.field).join()).toContain(field)
    expect((await capy.call('GET', poolPath(project))).body).toEqual(before)
  })

  test('unknown things get 404, and an invalid token 401, with Capy’s error body', async () => {
    const unknown = '01890000-0000-7000-8000-000000000000'
    for (const [method, path] of [
      ['GET', poolPath(unknown)],
      ['PATCH', poolPath('nobody')],
      ['POST', `${poolPath(unknown)}/test`],
      ['GET', `${poolPath(project)}/instances/${unknown}`],
      ['GET', `${poolPath(project)}/instances/nonsense`],
      ['GET', `${poolPath(project)}/nothing`],
    ] as const) {
      const { status, body } = await capy.call(method, path)
      expect([path, status]).toEqual([path, 404])
      expect(body).toEqual({ error: { code: 'not_found', message: expect.any(String), details: {} } })
    }
    const stranger = new CapyClient(installation.url, 'capy_nobody')
    expect(await stranger.call('GET', '/projects')).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthorized' } },
    })
    expect((await capy.call('GET', '/projects?limit=0')).status).toBe(422)
    expect((await capy.call('GET', '/projects?cursor=zzz')).status).toBe(422)
  })

  test('a test on a disabled pool works, and a second one while it runs', async () => {
    expect((await capy.call('GET', poolPath(project))).body.enabled).toBe(false)
    const tests = await Promise.all([1, 2].map(() => capy.call('POST', `${poolPath(project)}/test`)))
    const ids = tests.map(({ body }) => body.id)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids)
      expect(await capy.untilBooted(project, id, bootMilliseconds)).toMatchObject({ status: 'ready' })
  })

  test('a viewer reads and changes nothing', async () => {
    const { secret } = await installation.client.tokens.create({ name: 'viewer', roles: ['viewer'] })
    const viewer = new CapyClient(installation.url, secret.replace(/^hearth_/, 'capy_'))
    expect((await viewer.call('GET', poolPath(project))).status).toBe(200)
    expect(await viewer.call('PATCH', poolPath(project), { targetSize: 5 })).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden' } },
    })
  })
})

test('the dialect has its own documentation page beside the native one', async () => {
  const paths = async (document: string) => {
    const { paths: described } = (await (await fetch(`${installation.url}${document}`)).json()) as {
      paths: object
    }
    return Object.keys(described)
  }
  expect(await paths('/api/v1/openapi.json')).toContain('/projects/{projectId}/warm-pool')
  expect((await paths('/openapi.json')).filter((path) => !path.startsWith('/v1/'))).toEqual([])
  const page = await fetch(`${installation.url}/docs/capy`)
  expect(await page.text()).toContain('/docs/capy/start.js')
})
