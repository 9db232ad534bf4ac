import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isStreamed, type Operation, readOperations } from '../fuzz/http/operations.ts'
import { Random } from '../fuzz/http/random.ts'
import { valueFor } from '../fuzz/http/values.ts'
import { type Installation, startInstallation } from './installation.ts'
import {
  newParty,
  type PermissionParty,
  type RoleName,
  roles,
  rowsOf,
  unknownId,
} from './permission-party.ts'

/**
 * Every route of the served documents, with every role, and with ids of one's own, of another organization, of nothing
 * and of no form. Both organizations are ordinary ones: people of the first see all organizations.
 */
let installation: Installation
let operations: Operation[]
/** Routes that take no token of an organization: a signature or a token of their own proves a request. */
let openOperations: Operation[]
let own: PermissionParty
let foreign: PermissionParty

beforeAll(async () => {
  const unlimited = { requestsPerSecond: null }
  installation = await startInstallation({
    quotas: { organization: { ...unlimited, environments: 30 }, principal: unlimited },
  })
  const all = await readOperations(installation.url)
  operations = all.filter(({ isOpen }) => !isOpen)
  openOperations = all.filter(({ isOpen }) => isOpen)
  own = await newParty(installation, 'own')
  foreign = await newParty(installation, 'foreign')
}, 60_000)
afterAll(() => installation[Symbol.asyncDispose]())

interface Answer {
  status: number
  text: string
}

async function send(
  { method }: Operation,
  path: string,
  token: string | null,
  body: unknown = undefined,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(installation.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  const isStream = isStreamed(response.headers)
  if (isStream) await response.body?.cancel()
  return { status: response.status, text: isStream ? '' : await response.text() }
}

const named = ({ method, path }: Operation) => `${method} ${path}`
const isRead = ({ method }: Operation) => method === 'GET'
const namesOne = ({ path }: Operation) => path.includes('{')
const permits = ({ roles: needed }: Operation, role: RoleName) =>
  needed !== null && (needed.length === 0 || needed.includes(role))
const refusesRole = /this needs the role/
/** Answers to a permitted change whose body, version or state is not right. */
const taken = [200, 201, 202, 400, 404, 409, 422]

test('every route declares who may use it', () => {
  expect(operations.length).toBeGreaterThan(60)
  expect(operations.filter(({ roles: needed }) => needed === null).map(named)).toEqual([])
  const unknown = operations.filter((one) => one.roles?.some((role) => !roles.some((each) => each === role)))
  expect(unknown.map(named)).toEqual([])
})

test('the open routes are known, and without proof answer alike for one’s own, for nothing and for no form', async () => {
  expect(openOperations.map(named)).toEqual([
    'GET /v1/environments/{id}/log',
    'POST /v1/webhooks/{projectId}',
    'GET /v1/prebuilds/{id}/log',
    'GET /v1/environments/{id}/processes/log',
  ])
  for (const operation of openOperations) {
    const ofOwn = operation.path.includes('{projectId}')
      ? filled(operation, await own.idFor('projectId'))
      : await own.fill(operation.path)
    const paths = [ofOwn, filled(operation, unknownId), filled(operation, 'not%20an%20id')]
    for (const token of [null, own.tokens.administrator]) {
      const body = isRead(operation) ? undefined : {}
      const answers = await Promise.all(paths.map((path) => send(operation, path, token, body)))
      expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 401))
      const texts = answers.map(({ text }) =>
        neutral(text, [...paths.flatMap((path) => ids(path)), unknownId]),
      )
      expect(new Set(texts).size).toBe(1)
    }
  }
})

test('no route answers without a token or with an invalid one', async () => {
  for (const operation of operations) {
    const path = await own.fill(operation.path)
    for (const token of [null, 'hearth_none']) {
      const { status, text } = await send(operation, path, token)
      expect([named(operation), status]).toEqual([named(operation), 401])
      expect(text).not.toContain('own-')
    }
  }
})

test('a role that is not declared is refused for every id, and changes nothing', async () => {
  const settled = await settledRows(own)
  for (const operation of operations) {
    const paths = [await own.fill(operation.path), await foreign.fill(operation.path)]
    paths.push(filled(operation, unknownId), filled(operation, 'not%20an%20id'))
    for (const role of roles.filter((one) => !permits(operation, one))) {
      for (const path of new Set(paths)) {
        const { status, text } = await send(
          operation,
          path,
          own.tokens[role],
          isRead(operation) ? undefined : {},
        )
        expect([named(operation), role, path, status]).toEqual([named(operation), role, path, 403])
        expect(text).toMatch(refusesRole)
      }
    }
  }
  expect(await rowsOf(installation.database.url, own.organizationId)).toEqual(settled)
}, 60_000)

test('another organization’s ids get the same answer as unknown ids, and nothing of it is shown or changed', async () => {
  const settled = await settledRows(foreign)
  const random = new Random(7)
  for (const operation of operations) {
    const role = roles.find((one) => permits(operation, one))
    if (role === undefined) throw new Error(`${named(operation)} is for nobody`)
    const names = await namesIn(operation)
    const body = operation.body === null ? undefined : await fittingBody(operation, own.tokens[role], random)
    const ofNothing = filled(operation, unknownId)
    const ofForeign = await foreign.fill(operation.path)
    const foreignBody = await withIds(body)
    const [nothing, others] = [
      await send(operation, ofNothing, own.tokens[role], body),
      await send(operation, ofForeign, own.tokens[role], foreignBody),
    ]
    expectNothingForeign(operation, neutral(others.text, ids(ofForeign)))
    if (namesOne(operation)) {
      const known = ids(ofForeign)
      const answer = { ...others, text: neutral(others.text, known) }
      expect([named(operation), answer]).toEqual([
        named(operation),
        { ...nothing, text: neutral(nothing.text, [unknownId]) },
      ])
      expect([403, 404], `${named(operation)} ${nothing.status} ${nothing.text}`).toContain(others.status)
      const malformed = await send(operation, filled(operation, 'not%20an%20id'), own.tokens[role], body)
      expect([400, 403, 404, 422]).toContain(malformed.status)
    }
    for (const query of names) {
      const asked = `${await own.fill(operation.path)}?${query}=${await foreign.idFor(query)}`
      const { status, text } = await send(operation, asked, own.tokens[role])
      expect([200, 404, 400], `${named(operation)} ${query} ${text}`).toContain(status)
      expectNothingForeign(operation, text)
    }
  }
  expect(await rowsOf(installation.database.url, foreign.organizationId)).toEqual(settled)
}, 60_000)

test('a declared role is accepted with ids of its own organization', async () => {
  const reads = operations.filter(isRead)
  const changes = operations.filter((operation) => !isRead(operation))
  for (const operation of reads) {
    for (const role of roles.filter((one) => permits(operation, one))) {
      const { status, text } = await send(operation, await own.fill(operation.path), own.tokens[role])
      // The administrator’s: a person’s own secrets are not even there for anybody else.
      const isHidden =
        (operation.path.startsWith('/v1/user-secrets/') && role !== 'administrator') ||
        // The runner was ordered nothing with it.
        operation.path === '/v1/artifacts/{id}/bytes'
      // Its pipeline is stopped: nobody answers for it.
      const isUnanswered = /^\/v1\/pipelines\/\{id\}\/(?:query|stats|program-status)$/.test(operation.path)
      expect([named(operation), role, status, text.slice(0, 300)]).toEqual([
        named(operation),
        role,
        isHidden ? 404 : isUnanswered ? 409 : 200,
        text.slice(0, 300),
      ])
    }
  }
  // Where a version is required, a wrong one keeps the resource unchanged for later requests.
  for (const operation of changes) {
    for (const role of roles.filter((one) => permits(operation, one))) {
      const body = operation.body === null ? undefined : { surprise: 1 }
      const path = await own.fill(operation.path)
      const { status, text } = await send(operation, path, own.tokens[role], body, {
        'If-Match': '"999999999"',
      })
      expect(text).not.toMatch(refusesRole)
      if (status !== 403) expect(taken, `${named(operation)} ${role}: ${status} ${text}`).toContain(status)
    }
  }
}, 60_000)

const filled = ({ path }: Operation, id: string) => path.replaceAll(/\{\w+\}/g, id)
const ids = (text: string) => text.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? []

/** The answer without what differs between requests. */
function neutral(text: string, known: readonly string[]): string {
  const plain = known.reduce((rest, id) => rest.replaceAll(id, 'ID'), text)
  return plain.replaceAll(/"requestId":"[^"]*"/g, '')
}

function expectNothingForeign(operation: Operation, text: string): void {
  expect(text, named(operation)).not.toMatch(
    /foreign-(project|class|machine|runner|observer|session|variable|spare|member)/,
  )
  expect(text, named(operation)).not.toContain(foreign.organizationId)
}

/** Query parameters that name a resource by its id. */
async function namesIn({ parameters }: Operation): Promise<string[]> {
  return Promise.resolve(
    parameters
      .filter(
        ({ in: place, schema, name }) => place === 'query' && schema.format === 'uuid' && name !== 'after',
      )
      .map(({ name }) => name),
  )
}

/** Tries random bodies until one passes validation, so that it can be refused only for the ids in it. */
async function fittingBody(operation: Operation, token: string, random: Random): Promise<unknown> {
  let body: unknown = {}
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { status } = await send(operation, filled(operation, unknownId), token, body)
    if (status !== 400 && status !== 422) return body
    body = valueFor(operation.body ?? {}, random, operation.components, [unknownId])
  }
  throw new Error(`no body by chance fits ${named(operation)}: the last was ${JSON.stringify(body)}`)
}

/** The same body with ids of the other organization. */
async function withIds(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(withIds))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([name, inner]) => [
    name,
    inner === unknownId ? await foreign.idFor(name) : await withIds(inner),
  ])
  return Object.fromEntries((await Promise.all(entries)) as [string, unknown][]) as unknown
}

/** The organization's rows once its reconcilers have nothing more to do. */
async function settledRows(party: PermissionParty): Promise<unknown> {
  let before: unknown
  return eventually(
    async () => {
      const rows = await rowsOf(installation.database.url, party.organizationId)
      const same = JSON.stringify(rows) === JSON.stringify(before)
      before = rows
      return same ? rows : null
    },
    { timeoutMilliseconds: 20_000, intervalMilliseconds: 500 },
  )
}
