import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'

/** Run by new-kind.test.ts in a scratch clone, in which `pnpm new-kind example` has written the kind. */
let installation: Installation

beforeAll(async () => {
  installation = await startInstallation()
})
afterAll(() => installation[Symbol.asyncDispose]())

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; value: unknown }> {
  const response = await fetch(installation.url + path, {
    method,
    headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, value: await response.json() }
}

const example = { metadata: expect.objectContaining({ name: 'first' }), kind: 'Example' }

test('is made, reconciled, changed, listed and deleted over HTTP', async () => {
  expect(await call('POST', '/v1/examples', { name: 'first', spec: { size: 3 } })).toMatchObject({
    status: 201,
    value: { ...example, status: { phase: 'pending' } },
  })
  await eventually(
    async () => {
      const { value } = await call('GET', '/v1/examples/first')
      return (value as { status: { phase: string } }).status.phase === 'ready' ? true : null
    },
    { timeoutMilliseconds: 20_000 },
  )
  expect(await call('PATCH', '/v1/examples/first', { spec: { size: 4 } })).toMatchObject({
    status: 200,
    value: { spec: { size: 4 }, specVersion: 2 },
  })
  expect(await call('POST', '/v1/examples', { name: 'first', spec: { size: 3 } })).toMatchObject({
    status: 409,
  })
  expect(await call('GET', '/v1/examples')).toMatchObject({ value: { items: [example], next: null } })
})

test('is in OpenAPI and in events', async () => {
  const { value } = await call('GET', '/openapi.json')
  expect(value).toMatchObject({ paths: { '/v1/examples': {}, '/v1/examples/{id}': {} } })
  const events = await call('GET', '/v1/events?after=0&kind=Example')
  expect(events).toMatchObject({
    value: { items: expect.arrayContaining([expect.objectContaining({ verb: 'created', kind: 'Example' })]) },
  })
})

test('is listed, described and deleted by the command', async () => {
  const program = join(import.meta.dirname, '../../packages/cli/dist/main.js')
  const env = { ...process.env, HEARTH_URL: installation.url, HEARTH_TOKEN: installation.token }
  const hearth = async (...words: string[]) =>
    (await promisify(execFile)(process.execPath, [program, ...words], { env })).stdout
  expect(await hearth('get', 'examples')).toMatch(/^NAME +PHASE +AGE +ID\nfirst +ready /)
  expect(await hearth('describe', 'example', 'first')).toContain('size')
  await hearth('delete', 'example', 'first', '--wait')
  expect(await hearth('get', 'examples')).not.toContain('first')
})
