import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from '../../system/installation.ts'
import { documentPath, type FelderaClient, felderaClient } from './client.ts'

let installation: Installation
let client: FelderaClient
beforeAll(async () => {
  installation = await startInstallation()
  client = felderaClient(installation.url, `apikey:${installation.token}`)
})
afterAll(() => installation?.[Symbol.asyncDispose]())

const program_code = 'CREATE TABLE t (a INT);'
const newName = () => `p_${newId().slice(-8)}`
const at = (pipeline_name: string) => ({ params: { path: { pipeline_name } } })
async function made(name = newName(), more: object = {}) {
  const { data, error, response } = await client.POST('/v0/pipelines', {
    body: { name, program_code, ...more },
  })
  if (data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`)
  return data
}
const refused = ({ error, response }: { error?: unknown; response: Response }) => [
  response.status,
  (error as { error_code?: string } | undefined)?.error_code,
]

/** As a client that does not know the document sends it. */
async function raw(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${installation.url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${installation.token}`,
      'Content-Type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, body: JSON.parse(await response.text()) as Record<string, unknown> }
}

test('the types of the client are those of the document', async () => {
  const module = createRequire(import.meta.url).resolve('openapi-typescript/package.json')
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(module, '../bin/cli.js'),
    documentPath,
  ])
  const written = readFileSync(join(import.meta.dirname, 'generated/feldera.d.ts'), 'utf8')
  expect(stdout.trim() === written.trim(), 'run openapi-typescript on openapi.json again').toBe(true)
})

describe('what it says of itself', () => {
  test('the constructor of its clients finds an edition that it knows, and a version', async () => {
    const { data } = await client.GET('/v0/config')
    expect(data).toMatchObject({ edition: 'Open source', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  })

  test('how one logs in is said to everybody, and without a token nothing else', async () => {
    const stranger = felderaClient(installation.url, null)
    expect((await stranger.GET('/config/authentication')).data).toEqual({})
    expect(refused(await stranger.GET('/v0/pipelines'))).toEqual([401, 'InvalidApiKey'])
    const liar = felderaClient(installation.url, 'apikey:hearth_none')
    expect(refused(await liar.GET('/v0/config'))).toEqual([401, 'InvalidApiKey'])
  })

  test('a session is of an organization, and without a runner nothing is healthy', async () => {
    const { organizationId } = await installation.client.whoami()
    const { data } = await client.GET('/v0/config/session')
    expect(data).toMatchObject({ role: 'admin', tenant_id: organizationId })
    const health = await client.GET('/v0/cluster_healthz')
    expect(health.response.status).toBe(503)
    expect(health.error).toMatchObject({
      all_healthy: false,
      api: { healthy: true },
      runner: { healthy: false },
    })
  })
})

describe('pipelines', () => {
  test('one is made, shown by each selector, and listed', async () => {
    const pipeline = await made('orders_1', { description: 'of orders', tags: ['a', 'b'] })
    expect(pipeline).toMatchObject({
      name: 'orders_1',
      description: 'of orders',
      tags: ['a', 'b'],
      program_code,
      deployment_status: 'Stopped',
      deployment_desired_status: 'Stopped',
      program_status: 'Pending',
      storage_status: 'Cleared',
      ...{ version: 1, refresh_version: 1, program_version: 1 },
      runtime_config: { workers: 8, hosts: 1 },
    })
    const shown = await client.GET('/v0/pipelines/{pipeline_name}', at('orders_1'))
    expect(shown.data).toEqual(pipeline)
    const status = await client.GET('/v0/pipelines/{pipeline_name}', {
      params: { path: { pipeline_name: 'orders_1' }, query: { selector: 'status' } },
    })
    expect(status.data).not.toHaveProperty('program_code')
    expect(status.data).toMatchObject({ deployment_status: 'Stopped' })
    const listed = await client.GET('/v0/pipelines', {
      params: { query: { selector: 'status_with_connectors' } },
    })
    expect(listed.data?.find(({ name }) => name === 'orders_1')).toMatchObject({
      connectors: { num_errors: 0 },
    })
    expect(
      refused(
        (await client.GET('/v0/pipelines', {
          params: { query: { selector: 'some' as 'all' } },
        })) as never,
      ),
    ).toEqual([400, 'InvalidRequest'])
  })

  test('forty are listed, each once', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${index}`)
    await Promise.all(names.map((name) => made(name)))
    const { data } = await client.GET('/v0/pipelines')
    const listed = (data ?? []).flatMap(({ name }) => (name.startsWith('many-') ? [name] : []))
    expect(listed.toSorted()).toEqual(names.toSorted())
  })

  test.each([
    ['', 400, 'EmptyName'],
    ['a'.repeat(64), 400, 'TooLongName'],
    ['a#', 400, 'NameDoesNotMatchPattern'],
    ['-a', 400, 'NameDoesNotMatchPattern'],
    ['a_', 400, 'NameDoesNotMatchPattern'],
    ['ä', 400, 'NameDoesNotMatchPattern'],
  ])('the name %s: %d %s', async (name, status, code) => {
    const body = { name, program_code }
    expect(refused(await client.POST('/v0/pipelines', { body }))).toEqual([status, code])
    const { name: taken } = await made()
    const patched = await client.PATCH('/v0/pipelines/{pipeline_name}', { ...at(taken), body: { name } })
    expect(refused(patched)).toEqual([status, code])
  })

  test('names of 1 and of 63 characters, and one that looks like an id, are names', async () => {
    for (const name of ['Z', `A${'_'.repeat(61)}9`, newId()]) {
      await made(name)
      expect((await client.GET('/v0/pipelines/{pipeline_name}', at(name))).data?.name).toBe(name)
      expect(refused(await client.POST('/v0/pipelines', { body: { name, program_code } }))).toEqual([
        409,
        'DuplicateName',
      ])
    }
  })

  test('what is not there is named', async () => {
    const absent = await client.GET('/v0/pipelines/{pipeline_name}', at('absent'))
    expect(absent.error).toMatchObject({
      error_code: 'UnknownPipelineName',
      details: { pipeline_name: 'absent' },
    })
    for (const call of [
      client.PATCH('/v0/pipelines/{pipeline_name}', { ...at('absent'), body: {} }),
      client.DELETE('/v0/pipelines/{pipeline_name}', at('absent')),
      client.POST('/v0/pipelines/{pipeline_name}/clear', at('absent')),
      client.POST('/v0/pipelines/{pipeline_name}/dismiss_error', at('absent')),
      client.GET('/v0/pipelines/{pipeline_name}/events', at('absent')),
    ])
      expect(refused(await call)).toEqual([404, 'UnknownPipelineName'])
  })

  test('PUT makes what is not there, under its own name only, and replaces what is there as a whole', async () => {
    const name = newName()
    const put = (path: string, body: { name: string; program_code: string; description?: string }) =>
      client.PUT('/v0/pipelines/{pipeline_name}', { ...at(path), body })
    expect(refused(await put(name, { name: 'other', program_code }))).toEqual([
      400,
      'CannotRenameNonExistingPipeline',
    ])
    const first = await put(name, { name, program_code, description: 'first' })
    expect([first.response.status, first.data?.version]).toEqual([201, 1])
    const again = await put(name, { name, program_code, description: 'first' })
    expect([again.response.status, again.data?.version]).toEqual([200, 1])
    const renamed = await put(name, { name: `${name}x`, program_code })
    expect(renamed.data).toMatchObject({ name: `${name}x`, description: '', version: 2, program_version: 1 })
    const { name: taken } = await made()
    expect(refused(await put(`${name}x`, { name: taken, program_code }))).toEqual([409, 'DuplicateName'])
  })

  test('PATCH changes what is given, a program raises its own version, and nothing new raises none', async () => {
    const { name } = await made(newName(), { description: 'kept' })
    const patch = async (body: object) =>
      (await client.PATCH('/v0/pipelines/{pipeline_name}', { ...at(name), body })).data
    expect(await patch({ program_code: 'SELECT 1', tags: null })).toMatchObject({
      ...{ description: 'kept', version: 2, refresh_version: 2, program_version: 2 },
    })
    expect(
      await patch({ runtime_config: { workers: 2, resources: { storage_mb_max: 64 }, logging: 'debug' } }),
    ).toMatchObject({
      ...{ version: 3, program_version: 2 },
      runtime_config: { workers: 2, logging: 'debug', resources: { storage_mb_max: 64 } },
    })
    // Replaced whole.
    const replaced = await patch({ runtime_config: { workers: 2 } })
    expect(replaced?.runtime_config).not.toHaveProperty('logging')
    expect(await patch({ description: 'kept', program_code: 'SELECT 1' })).toMatchObject({ version: 4 })
  })

  test.each([
    [{ runtime_config: { workers: 0 } }, 'InvalidRuntimeConfig'],
    [{ runtime_config: { hosts: 2 } }, 'InvalidRuntimeConfig'],
    [{ runtime_config: { resources: 7 } }, 'InvalidRuntimeConfig'],
    [{ description: 'x'.repeat(301) }, 'InvalidRequest'],
    [{ tags: Array.from({ length: 51 }, () => 'x') }, 'InvalidRequest'],
    [{ tags: ['x'.repeat(51)] }, 'InvalidRequest'],
    [{ program_code: 7 }, 'InvalidRequest'],
  ])('%o is refused: %s', async (more, code) => {
    const body = { name: newName(), program_code, ...more }
    expect(refused(await client.POST('/v0/pipelines', { body: body as never }))).toEqual([400, code])
  })

  test('one is deleted, with its events, and its name is free', async () => {
    const { name } = await made()
    expect((await client.DELETE('/v0/pipelines/{pipeline_name}', at(name))).data).toBeNull()
    expect(refused(await client.GET('/v0/pipelines/{pipeline_name}/events', at(name)))).toEqual([
      404,
      'UnknownPipelineName',
    ])
    expect((await made(name)).version).toBe(1)
  })

  test('clearing what is cleared, and dismissing no error, is a success', async () => {
    const { name } = await made()
    const cleared = await client.POST('/v0/pipelines/{pipeline_name}/clear', at(name))
    expect([cleared.response.status, cleared.data]).toEqual([202, 'Pipeline storage is being cleared'])
    const dismissed = await client.POST('/v0/pipelines/{pipeline_name}/dismiss_error', at(name))
    expect([dismissed.response.status, dismissed.data]).toEqual([
      200,
      'Pipeline deployment error has been dismissed',
    ])
  })
})

describe('what comes in no form', () => {
  const body = (...fields: string[]) =>
    expect.objectContaining({
      message: expect.any(String),
      details: expect.anything(),
      ...Object.fromEntries([['error_code', fields[0]]]),
    })

  test('paths that are not there, bad JSON, another encoding and too much get the same kind of body', async () => {
    expect(await raw('GET', '/v0/nothing')).toMatchObject({ status: 404, body: { error_code: 'NotFound' } })
    expect(await raw('GET', '/v0')).toMatchObject({ status: 404, body: { error_code: 'NotFound' } })
    expect(await raw('POST', '/v0/pipelines', '{"name":')).toEqual({
      status: 400,
      body: body('InvalidRequest'),
    })
    expect(await raw('POST', '/v0/pipelines', '{"name":"x","program_code":"\\ud800"}')).toEqual({
      status: 400,
      body: body('InvalidRequest'),
    })
    const large = JSON.stringify({ name: 'large', program_code: 'x'.repeat(1_048_576) })
    expect(await raw('POST', '/v0/pipelines', large)).toMatchObject({
      status: 413,
      body: { error_code: 'PayloadTooLarge' },
    })
    const most = JSON.stringify({ name: 'most', program_code: '-'.repeat(1_048_000) })
    expect((await raw('POST', '/v0/pipelines', most)).status).toBe(201)
  })

  test('what Hearth has nothing for is not implemented, whatever is asked of it', async () => {
    for (const path of [
      'metrics',
      'tables/t/connectors/c/start',
      'views/v/connectors/c/stats',
      'start_transaction',
    ])
      expect(await raw('GET', `/v0/pipelines/any/${path}`)).toMatchObject({
        status: 501,
        body: { error_code: 'NotImplemented', details: { part: path.split('/')[0] } },
      })
    expect(await raw('GET', '/v0/pipelines/any/surprise')).toMatchObject({ status: 404 })
  })
})

test('API keys are tokens: made once by name, good at once, listed without their secrets, ended', async () => {
  const { data } = await client.POST('/v0/api_keys', { body: { name: 'Robot_1', role: 'read' } })
  const robot = felderaClient(installation.url, data?.api_key ?? '')
  expect((await robot.GET('/v0/config/session')).data?.role).toBe('read')
  expect(refused(await robot.POST('/v0/pipelines', { body: { name: 'no', program_code } }))).toEqual([
    403,
    'InsufficientPermissions',
  ])
  expect(refused(await robot.GET('/v0/api_keys'))).toEqual([403, 'InsufficientPermissions'])
  const both = await Promise.all(
    ['Robot_1', 'twin', 'twin'].map((name) => client.POST('/v0/api_keys', { body: { name } })),
  )
  expect(both.map(({ response }) => response.status).toSorted()).toEqual([201, 409, 409])
  const path = { api_key_name: 'Robot_1' }
  expect((await client.GET('/v0/api_keys/{api_key_name}', { params: { path } })).data).toMatchObject({
    name: 'Robot_1',
    role: 'read',
  })
  expect(JSON.stringify((await client.GET('/v0/api_keys')).data)).not.toContain('hearth_')
  expect((await client.DELETE('/v0/api_keys/{api_key_name}', { params: { path } })).data).toBeNull()
  expect(refused(await client.GET('/v0/api_keys/{api_key_name}', { params: { path } }))).toEqual([
    404,
    'UnknownApiKey',
  ])
  expect(refused(await robot.GET('/v0/pipelines'))).toEqual([401, 'InvalidApiKey'])
})

test('of tokens that share a name none is ended by it', async () => {
  const { tokens } = installation.client
  const make = () => tokens.create({ name: 'shared', roles: ['viewer'] })
  const ids = [(await make()).id, (await make()).id]
  const path = { api_key_name: 'shared' }
  const { error, response } = await client.DELETE('/v0/api_keys/{api_key_name}', { params: { path } })
  expect([response.status, error?.message]).toEqual([
    404,
    expect.stringContaining('2 tokens are called shared: end the one that is meant by its id'),
  ])
  const left = (await tokens.list({})).items.filter(({ name }) => name === 'shared')
  expect(left.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
})

describe('events', () => {
  test('a new pipeline has one; `status` leaves details out, `all` has every key', async () => {
    const { name } = await made()
    const { data, response } = await client.GET('/v0/pipelines/{pipeline_name}/events', at(name))
    expect(response.headers.get('Cache-Control')).toBe('no-cache')
    expect(data).toEqual([
      {
        event_id: expect.any(String),
        recorded_at: expect.any(String),
        deployment_resources_status: 'Stopped',
        deployment_resources_desired_status: 'Stopped',
        deployment_runtime_status: null,
        deployment_runtime_desired_status: null,
        deployment_has_error: false,
        program_status: 'Pending',
        storage_status: 'Cleared',
      },
    ])
    const event = (event_id: string, selector?: 'all') =>
      client.GET('/v0/pipelines/{pipeline_name}/events/{event_id}', {
        params: {
          path: { pipeline_name: name, event_id },
          query: selector === undefined ? {} : { selector },
        },
      })
    const latest = (await event('latest', 'all')).data
    expect(latest).toEqual({
      ...data?.[0],
      deployment_error: null,
      deployment_resources_status_details: null,
      deployment_runtime_status_details: null,
      storage_status_details: null,
    })
    expect((await event(latest?.event_id ?? '')).data).toEqual(data?.[0])
    expect(refused(await event('none'))).toEqual([400, 'InvalidUuidParam'])
    expect(refused(await event(newId()))).toEqual([404, 'UnknownPipelineMonitorEvent'])
  })
})
