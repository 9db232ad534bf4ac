import Gitpod, { APIError } from '@gitpod/sdk'
import {
  EnvironmentState,
  findMostUsedEnvironmentClass,
  waitForEnvironmentRunning,
} from '@gitpod/sdk/lib/environment'
import { EnvironmentService } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { EnvironmentPhase } from '@hearth/control-plane/ona/gitpod/v1/environment_spec_pb'
import { EventService, ResourceType } from '@hearth/control-plane/ona/gitpod/v1/event_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formats, Ground } from './ground.ts'

let ground: Ground
let ona: Gitpod
beforeAll(async () => {
  ground = await Ground.start()
  ona = new Gitpod({ baseURL: ground.baseUrl, bearerToken: ground.installation.token })
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const patience = { timeoutMilliseconds: 60_000 }

/** A project with a pool in which one machine waits. */
async function projectWithMember(): Promise<string> {
  const projectId = await ground.project('quick')
  const pool = await ground.native.warmPools.create({
    spec: { projectId, environmentClassId: await ground.classNamed('quick'), min: 1 },
  })
  await eventually(
    async () => (await ground.native.warmPools.get(pool.metadata.id)).status.ready === 1,
    patience,
  )
  return projectId
}

describe('the SDK of the older generation', () => {
  test('makes an environment of a project, which is a machine that waited, and waits until it runs', async () => {
    const projectId = await projectWithMember()
    const { environment } = await ona.environments.createFromProject({ projectId })
    await waitForEnvironmentRunning(ona, environment.id)
    const state = new EnvironmentState(ona, environment.id)
    expect(await state.waitForSshUrl()).toMatch(/^ssh:\/\//)
    await state.close()
    const [claim] = (await ground.native.claims.list({})).items.filter(
      ({ status }) => status.environmentId === environment.id,
    )
    expect(claim?.status).toMatchObject({ phase: 'bound', source: 'running' })
    expect(environment.metadata).toMatchObject({ projectId, creator: { principal: 'PRINCIPAL_USER' } })
    expect(environment.status?.phase).toBe('ENVIRONMENT_PHASE_RUNNING')
  })

  test('takes the class that is named, and without one that of the first pool', async () => {
    const projectId = await projectWithMember()
    const [quick, slow] = [await ground.classNamed('quick'), await ground.classNamed('slow')]
    const spec = { projectId, environmentClassId: slow, min: 0 }
    await ground.native.warmPools.create({ spec })
    const classOf = async (machine?: { class: string }) => {
      const { environment } = await ona.environments.createFromProject({
        projectId,
        spec: machine && { machine },
      })
      return environment.spec?.machine?.class
    }
    expect([await classOf(), await classOf({ class: slow })]).toEqual([quick, slow])
  })

  test('lists what somebody has, page by page, and no machine that waits', async () => {
    const projectId = await projectWithMember()
    const made: string[] = []
    for (let count = 0; count < 3; count += 1)
      made.unshift((await ona.environments.createFromProject({ projectId })).environment.id)
    const seen: string[] = []
    const filter = { projectIds: [projectId] }
    for await (const { id } of ona.environments.list({ filter, pagination: { pageSize: 1 } })) seen.push(id)
    expect(seen).toEqual(made)
  })

  test('stops, starts and deletes an environment, and follows it', async () => {
    const projectId = await ground.project('quick')
    const { environment } = await ona.environments.createFromProject({
      projectId,
      spec: { machine: { class: await ground.classNamed('quick') } },
    })
    const { id } = environment
    await waitForEnvironmentRunning(ona, id)
    await ona.environments.markActive({ environmentId: id, activitySignal: { source: 'test' } })
    const state = new EnvironmentState(ona, id)
    const until = (phase: string) =>
      state.waitUntil(({ status }) => (status?.phase === `ENVIRONMENT_PHASE_${phase}` ? true : undefined))
    await ona.environments.stop({ environmentId: id })
    await until('STOPPED')
    await ona.environments.start({ environmentId: id })
    await until('RUNNING')
    await ona.environments.delete({ environmentId: id })
    await until('DELETED')
    await state.close()
    const { environments } = await ona.environments.list({})
    expect(environments.map((each) => each.id)).not.toContain(id)
  })

  test('reads what the steps print, with a token for that alone', async () => {
    const projectId = await projectWithMember()
    const { environment } = await ona.environments.createFromProject({ projectId })
    const { accessToken } = await ona.environments.createLogsToken({ environmentId: environment.id })
    const logs = environment.status?.environmentUrls?.logs ?? ''
    const read = (token: string, url = logs) => fetch(url, { headers: { Authorization: `Bearer ${token}` } })
    const answer = await read(accessToken ?? '')
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(await answer.text()).toContain('== project_setup')
    const { environment: other } = await ona.environments.createFromProject({ projectId })
    expect((await read(accessToken ?? '', other.status?.environmentUrls?.logs)).status).toBe(401)
    expect((await read(ground.installation.token)).status).toBe(401)
  })

  test('finds classes, and who it is', async () => {
    const id = await ground.classNamed('quick')
    const found: string[] = []
    for await (const { id: each } of ona.environments.classes.list({
      filter: { canCreateEnvironments: true },
    }))
      found.push(each)
    expect(found).toContain(id)
    expect(await findMostUsedEnvironmentClass(ona)).toBeDefined()
    const identity = await ona.identity.getAuthenticatedIdentity({})
    expect(identity.organizationId).toBe(
      (await ground.native.environmentClasses.get('quick')).metadata.organizationId,
    )
  })

  test('is told what is wrong', async () => {
    const refused = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (!(error instanceof APIError)) throw new Error('it was not refused')
      return [error.status, (error as { code?: string }).code]
    }
    const filters = [{ resourceType: 'RESOURCE_TYPE_UNSPECIFIED' as const }]
    expect(
      await refused(ona.events.watch({ organization: true, resourceTypeFilters: filters } as never)),
    ).toEqual([400, 'invalid_argument'])
    expect(await refused(ona.environments.retrieve({ environmentId: newId() }))).toEqual([404, 'not_found'])
    expect(await refused(ona.environments.retrieve({ environmentId: 'mine' }))).toEqual([
      400,
      'invalid_argument',
    ])
    const bare = await ground.project()
    expect(await refused(ona.environments.createFromProject({ projectId: bare }))).toEqual([
      400,
      'failed_precondition',
    ])
  })
})

test.each(['application/jsonl', 'application/connect+json'])(
  'a stream of %s is open before anything happens',
  async (type) => {
    const asked = Buffer.from('{"organization":true}')
    const head = Buffer.from([0, 0, 0, 0, asked.length])
    const closing = new AbortController()
    const answer = await fetch(`${ground.baseUrl}/gitpod.v1.EventService/WatchEvents`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ground.installation.token}`, 'Content-Type': type },
      body: new Uint8Array(type.endsWith('jsonl') ? asked : Buffer.concat([head, asked])),
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(10_000)]),
    })
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, type])
    closing.abort()
  },
)

describe.each(formats)('Connect in %s', (format) => {
  test('watches events without a gap between the subscription and the first read', async () => {
    const environments = ground.connect(EnvironmentService, format)
    const events = ground.connect(EventService, format)
    const projectId = await ground.project('quick')
    const { environment } = await environments.createEnvironmentFromProject({ projectId })
    const environmentId = environment?.id ?? ''
    const ended = new AbortController()
    const seen: ResourceType[] = []
    const stream = events.watchEvents(
      { scope: { case: 'environmentId', value: environmentId } },
      { signal: ended.signal },
    )
    const following = (async () => {
      for await (const { resourceType, resourceId } of stream) {
        expect(resourceId).toBe(environmentId)
        seen.push(resourceType)
        const now = await environments.getEnvironment({ environmentId })
        if (now.environment?.status?.phase === EnvironmentPhase.STOPPED) break
      }
    })()
    await eventually(async () => {
      const now = await environments.getEnvironment({ environmentId })
      return now.environment?.status?.phase === EnvironmentPhase.RUNNING
    }, patience)
    await environments.stopEnvironment({ environmentId })
    await following
    ended.abort()
    expect(new Set(seen)).toEqual(new Set([ResourceType.ENVIRONMENT]))
  })
})
