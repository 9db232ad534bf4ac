import { eventually } from '@hearth/testing'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'

/** What tells of one method of one path; those that are open prove a request in another way than by a token. */
interface Operation {
  method: string
  path: string
  parameters: { name: string; in: string }[]
  hasBody: boolean
  /** Roles that may call it. */
  roles: string[]
  responses: Record<string, { content?: Record<string, { schema: object }> }>
  isOpen: boolean
}

let installation: Installation
let operations: Operation[]
let openOperations: Operation[]
let document: { paths: Record<string, Record<string, unknown>>; components: object }
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)

beforeAll(async () => {
  installation = await startInstallation()
  document = (await (await fetch(`${installation.url}/openapi.json`)).json()) as typeof document
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, value]) => {
      const operation = value as {
        parameters?: Operation['parameters']
        requestBody?: object
        security?: object[]
        'x-roles': string[]
        responses: Operation['responses']
      }
      return {
        method,
        path,
        parameters: operation.parameters ?? [],
        hasBody: operation.requestBody !== undefined,
        roles: operation['x-roles'],
        responses: operation.responses,
        isOpen: operation.security?.length === 0,
      }
    }),
  )
  operations = all.filter(({ isOpen }) => !isOpen)
  openOperations = all.filter(({ isOpen }) => isOpen)
})
afterAll(() => installation[Symbol.asyncDispose]())

const absent = '01a1fa4e-603f-7430-bf4f-d3db55a95706'

async function call(
  method: string,
  path: string,
  init: { body?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(installation.url + path, {
    method: method.toUpperCase(),
    headers: {
      Authorization: `Bearer ${installation.token}`,
      'Content-Type': 'application/json',
      ...init.headers,
    },
    ...(init.body === undefined ? {} : { body: init.body }),
  })
  return {
    status: response.status,
    body: (await response.json()) as { error: { code: string; details: { field: string }[] } },
  }
}

function matches(operation: Operation, status: number, body: unknown): void {
  const schema = operation.responses[String(status)]?.content?.['application/json']?.schema
  expect(
    schema,
    `${operation.method} ${operation.path} answered ${status}, which is not documented`,
  ).toBeDefined()
  const validate = ajv.compile({ ...schema, components: document.components })
  expect(
    validate(body),
    `${operation.method} ${operation.path} ${status}: ${ajv.errorsText(validate.errors)}`,
  ).toBe(true)
}

const withId = (path: string, id: string) => path.replaceAll(/\{\w+\}/g, id)

describe('every route', () => {
  test('is documented: there are more than thirty, each with its refusals', () => {
    expect(operations.length).toBeGreaterThan(30)
    for (const { responses } of operations)
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '401', '403', '404']))
  })

  test('that is open refuses what proves nothing in one documented way, whatever it is asked', async () => {
    expect(openOperations.map(({ path }) => path).toSorted()).toEqual([
      '/v1/environments/{id}/log',
      '/v1/environments/{id}/processes/log',
      '/v1/prebuilds/{id}/log',
      '/v1/webhooks/{projectId}',
    ])
    for (const operation of openOperations) {
      for (const id of [absent, 'not%20an%20id']) {
        for (const query of ['', '?token=hearth_none&surprise=1', `?token=${'A'.repeat(5_000)}`]) {
          const body = operation.hasBody ? { body: '{"surprise":1}' } : {}
          const answer = await call(operation.method, `${withId(operation.path, id)}${query}`, body)
          expect([operation.path, query, answer.status]).toEqual([operation.path, query, 401])
          matches(operation, 401, answer.body)
          expect(Object.keys(operation.responses)).toContain('429')
        }
      }
      if (!operation.hasBody) continue
      const large = await call(operation.method, withId(operation.path, absent), {
        body: 'x'.repeat(1_100_000),
      })
      expect(large.status).toBe(413)
      matches(operation, 413, large.body)
    }
  })

  test('refuses a caller without a token', async () => {
    for (const { method, path } of operations) {
      const response = await fetch(installation.url + withId(path, absent), { method: method.toUpperCase() })
      expect([method, path, response.status]).toEqual([method, path, 401])
    }
  })

  test('with a body refuses invalid JSON, unknown fields, and bodies that are too large', async () => {
    for (const operation of operations.filter(({ hasBody }) => hasBody)) {
      const path = withId(operation.path, absent)
      for (const body of ['{', '[]', '"text"', '{"surprise":1}']) {
        const answer = await call(operation.method, path, { body })
        if (answer.status === 403) continue // the runner's own route, whatever the body
        expect([operation.path, body, answer.status]).toEqual([operation.path, body, 400])
        expect(answer.body.error.details[0]?.field).toMatch(/^body/)
        matches(operation, 400, answer.body)
      }
      const large = await call(operation.method, path, {
        body: JSON.stringify({ name: 'x'.repeat(1_100_000) }),
      })
      expect([operation.path, large.status, large.body.error.code]).toEqual([
        operation.path,
        413,
        'too_large',
      ])
    }
  })

  test('with a query refuses invalid parameters and names the field', async () => {
    for (const { path, roles } of operations.filter(({ method }) => method === 'get')) {
      const answer = await call('get', `${withId(path, absent)}?surprise=1`)
      // What is for runners alone is refused before that.
      const isForRunners = roles.length === 1 && roles[0] === 'runner'
      expect([path, answer.status]).toEqual([path, isForRunners ? 403 : 400])
      if (isForRunners) continue
      expect(answer.body.error.details[0]?.field).toBe('query.surprise')
    }
    const limit = await call('get', '/v1/projects?limit=0')
    expect(limit.body.error.details).toMatchObject([{ field: 'query.limit', given: '"0"' }])
  })

  test('with an id refuses an invalid one and does not find an unknown one', async () => {
    const ofAdministrators = operations.filter(({ roles }) => roles.includes('administrator'))
    for (const operation of ofAdministrators.filter(
      ({ path, hasBody }) => path.includes('{id}') && !hasBody,
    )) {
      const answer = await call(operation.method, withId(operation.path, absent))
      expect([operation.path, answer.status]).toEqual([operation.path, 404])
      matches(operation, 404, answer.body)
      const odd = await call(operation.method, withId(operation.path, 'not%20an%20id'))
      expect([400, 404]).toContain(odd.status)
    }
  })

  test('answers junk with a documented refusal, never with a server error', async () => {
    const seed = Number(process.env.HEARTH_TEST_SEED ?? 20_261_120)
    console.info(`seed ${seed}`)
    const junk = fc.record({
      operation: fc.nat({ max: operations.length - 1 }),
      id: fc.oneof(
        fc.constant(absent),
        fc.constant('default'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
      ),
      query: fc.dictionary(
        fc.constantFrom('limit', 'after', 'name', 'kind', 'phase', 'force'),
        fc.string({ unit: 'binary' }),
        { maxKeys: 2 },
      ),
      body: fc.oneof(
        fc.json(),
        fc.string(),
        fc.constant('{"spec":{}}'),
        fc.constant('{"name":"a","spec":{"min":1e99}}'),
        fc
          .constantFrom('\\u0000', '\\ud800')
          .map(
            (text) =>
              `{"name":"odd","labels":{"a":"${text}"},"spec":{"displayName":"a","setup":["${text}"]}}`,
          ),
      ),
      match: fc.option(fc.stringMatching(/^[\x20-\x7e]{1,12}$/)),
    })
    await fc.assert(
      fc.asyncProperty(junk, async ({ operation: index, id, query, body, match }) => {
        const operation = operations[index]
        if (operation === undefined) return
        const path = `${withId(operation.path, encodeURIComponent(id))}?${new URLSearchParams(query)}`
        const answer = await call(operation.method, path, {
          ...(operation.hasBody ? { body } : {}),
          headers: match === null || match.trim() === '' ? {} : { 'If-Match': match },
        })
        expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500)
        if (answer.status >= 400 && answer.status !== 404) matches(operation, answer.status, answer.body)
      }),
      { seed, numRuns: Number(process.env.HEARTH_TEST_RUNS ?? 600) },
    )
  }, 120_000)
})

describe('a change', () => {
  const project = (name: string) => JSON.stringify({ name, spec: { setup: ['make'] } })

  test('is answered again byte for byte under the same Idempotency-Key, and made once', async () => {
    const headers = { 'Idempotency-Key': 'once' }
    const [first, second] = await Promise.all(
      [0, 1].map(() => call('post', '/v1/projects', { body: project('once'), headers })),
    )
    expect(first?.status).toBe(201)
    expect(second).toEqual(first)
    const other = await call('post', '/v1/projects', { body: project('twice'), headers })
    expect([other.status, other.body.error.code]).toEqual([422, 'idempotency_mismatch'])
    expect((await call('get', '/v1/projects/twice')).status).toBe(404)
  })

  test('on an older version is refused with the current one and changes nothing', async () => {
    await call('post', '/v1/projects', { body: project('versions') })
    const body = JSON.stringify({ spec: { setup: ['make again'] } })
    const good = await call('patch', '/v1/projects/versions', { body, headers: { 'If-Match': '"1"' } })
    expect(good).toMatchObject({ status: 200, body: { specVersion: 2 } })
    const stale = await call('patch', '/v1/projects/versions', {
      body: '{"spec":{"setup":[]}}',
      headers: { 'If-Match': '"1"' },
    })
    expect(stale).toMatchObject({
      status: 409,
      body: { error: { code: 'stale_version', facts: { currentSpecVersion: 2 } } },
    })
    expect(await call('get', '/v1/projects/versions')).toEqual(good)
  })

  test('is visible to its own organization only', async () => {
    const made = await call('post', '/v1/organizations', {
      body: '{"name":"other","spec":{"displayName":"Other"}}',
    })
    const { token } = made.body as unknown as { token: string }
    const headers = { Authorization: `Bearer ${token}` }
    await call('post', '/v1/projects', { body: project('private') })
    expect((await call('get', '/v1/projects/private', { headers })).status).toBe(404)
    // An event becomes visible a moment after its commit, when it gets its position.
    const seen = await eventually(
      async () => {
        const { body } = await call('get', '/v1/events?after=0', { headers })
        const { items } = body as unknown as { items: { kind: string }[] }
        return items.length > 0 && items
      },
      { timeoutMilliseconds: 10_000 },
    )
    expect(seen).toMatchObject([{ kind: 'Organization' }])
    expect(
      (
        await call('post', '/v1/organizations', {
          body: '{"name":"third","spec":{"displayName":"T"}}',
          headers,
        })
      ).status,
    ).toBe(403)
  })

  test('of a secret is answered with the secret’s name and never its value', async () => {
    const secret = 'correct-horse-battery'
    const body = JSON.stringify({ name: 'secrets', spec: { secrets: { TOKEN: secret } } })
    const made = await call('post', '/v1/projects', { body, headers: { 'Idempotency-Key': 'secrets' } })
    expect(made.body).toMatchObject({ spec: { secretNames: ['TOKEN'] } })
    expect(JSON.stringify(made.body)).not.toContain(secret)
    expect(JSON.stringify(await call('get', '/v1/events?after=0&limit=1000'))).not.toContain(secret)
  })

  test('is refused to a role without permission', async () => {
    const made = await call('post', '/v1/tokens', { body: '{"name":"eyes","roles":["viewer"]}' })
    const headers = { Authorization: `Bearer ${(made.body as unknown as { secret: string }).secret}` }
    expect((await call('get', '/v1/projects', { headers })).status).toBe(200)
    expect((await call('post', '/v1/projects', { body: project('eyes'), headers })).status).toBe(403)
    expect(
      (await call('post', '/v1/tokens', { body: '{"name":"x","roles":["viewer"]}', headers })).status,
    ).toBe(403)
  })
})

test('a revoked token is refused at once, though it was known a moment ago', async () => {
  const made = await call('post', '/v1/tokens', { body: '{"name":"leaving","roles":["viewer"]}' })
  const { id, secret } = made.body as unknown as { id: string; secret: string }
  const headers = { Authorization: `Bearer ${secret}` }
  expect((await call('get', '/v1/whoami', { headers })).status).toBe(200)
  await call('delete', `/v1/tokens/${id}`)
  await expect
    .poll(async () => (await call('get', '/v1/whoami', { headers })).status, { timeout: 2_000 })
    .toBe(401)
})

test('the documentation page and all it loads come from here', async () => {
  const page = await (await fetch(`${installation.url}/docs`)).text()
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
  expect(loaded.length).toBeGreaterThan(2)
  for (const path of loaded) {
    expect(path).toMatch(/^\/docs\//)
    expect((await fetch(installation.url + path)).status).toBe(200)
  }
})

test('probes and metrics are public and correct', async () => {
  expect((await fetch(`${installation.url}/healthz/live`)).status).toBe(200)
  expect(await (await fetch(`${installation.url}/healthz/ready`)).json()).toMatchObject({ status: 'ready' })
  expect(await (await fetch(`${installation.url}/metrics`)).text()).toContain(
    'hearth_http_request_duration_seconds_bucket',
  )
  await installation.nats.stop()
  await expect
    .poll(async () => (await fetch(`${installation.url}/healthz/ready`)).status, { timeout: 10_000 })
    .toBe(503)
  await installation.nats.start()
  await expect
    .poll(async () => (await fetch(`${installation.url}/healthz/ready`)).status, { timeout: 20_000 })
    .toBe(200)
})
