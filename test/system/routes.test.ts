import { kinds, listSchema, type Role } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { kindRoutes } from './kind-routes.ts'

// Tests only what is on the wire: each kind's routes in this process, on a real database and NATS server.
interface Answer {
  status: number
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: the tests, not types, check the answers
  body: any
}

let installation: Installation
const tokens = new Map<Role, string>()
beforeAll(async () => {
  installation = await startInstallation()
  for (const role of ['viewer', 'member', 'join'] as const) {
    const { secret } = await installation.client.tokens.create({ name: role, roles: [role] })
    tokens.set(role, secret)
  }
})
afterAll(() => installation?.[Symbol.asyncDispose]())

async function call(
  method: string,
  path: string,
  given: { body?: unknown; headers?: Record<string, string>; role?: Role } = {},
): Promise<Answer> {
  const token = given.role === undefined ? installation.token : tokens.get(given.role)
  const response = await installation.controlPlane.application.request(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...given.headers },
    ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
  })
  const text = await response.text()
  return { status: response.status, text, body: text === '' ? null : JSON.parse(text) }
}

const absent = '01a1fa4e-603f-7430-bf4f-d3db55a95706'
const newName = () => `routes-${newId().slice(-6)}`
const idOf = (resource: { id?: string; metadata?: { id: string } }) =>
  resource.metadata?.id ?? resource.id ?? ''

test('every kind is in the table', () => {
  expect(Object.keys(kindRoutes).toSorted()).toEqual(Object.keys(kinds).toSorted())
})

const cases = Object.values(kinds).flatMap((kind) => {
  const routes = kindRoutes[kind.kind]
  return routes === undefined ? [] : [[kind.noun, kind, routes] as const]
})
describe.each(cases)('%s', (noun, kind, routes) => {
  const { body, made, refused, change, changed, deletion, eventToken, isNotShown, hasNoVersion } = routes
  const { path, schema } = kind
  const bodyOf = async () => (await body?.(newName(), installation.client)) ?? {}
  const make = async () => {
    const answer = await call('POST', path, { body: await bodyOf() })
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
    const resource = made === undefined ? answer.body : answer.body[made]
    expect(schema.safeParse(resource)).toMatchObject({ success: true })
    return resource
  }
  /** Creates two resources of the kind. */
  const makeTwo = async (): Promise<string[]> => {
    if (body !== null) return [idOf(await make()), idOf(await make())]
    for (let count = 0; count < 2; count += 1) {
      if (routes.makeOtherwise !== undefined) {
        await routes.makeOtherwise(newName(), installation.client, installation.token)
        continue
      }
      const wanted = await kindRoutes.Environment?.body?.(newName(), installation.client)
      await call('POST', kinds.Environment.path, { body: wanted })
    }
    return (await call('GET', path)).body.items.map(idOf)
  }

  test('lists page after page, the oldest first, each once', async () => {
    const two = await makeTwo()
    const listed: string[] = []
    let next: string | null = null
    do {
      const answer = await call('GET', `${path}?limit=1${next === null ? '' : `&after=${next}`}`)
      expect(answer.status).toBe(200)
      expect(listSchema(schema).safeParse(answer.body)).toMatchObject({ success: true })
      expect(answer.body.items.length).toBeLessThanOrEqual(1)
      listed.push(...answer.body.items.map(idOf))
      next = answer.body.next
    } while (next !== null)
    expect(listed).toEqual([...new Set(listed)].toSorted())
    expect(listed).toEqual(expect.arrayContaining(two))
  })

  test('refuses an unknown query parameter, and answers nothing without a token', async () => {
    expect(await call('GET', `${path}?surprise=1`)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid', message: expect.stringMatching(/^query\.surprise: /) } },
    })
    const headers = { Authorization: 'Bearer hearth_unknown' }
    expect(await call('GET', path, { headers })).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthenticated' } },
    })
  })

  test.skipIf(isNotShown === true)('shows one by its id, and says which one is not there', async () => {
    const [id] = await makeTwo()
    const shown = await call('GET', `${path}/${id}`)
    expect(shown.status).toBe(200)
    expect(schema.safeParse(shown.body)).toMatchObject({ success: true })
    expect(idOf(shown.body)).toBe(id)
    expect(await call('GET', `${path}/${absent}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', message: `there is no ${noun} ${absent}` } },
    })
  })

  test.skipIf(body === null)('is not made by a token without the role', async () => {
    const answer = await call('POST', path, { body: await bodyOf(), role: refused })
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } })
    expect(answer.body.error.message).toContain(`the token has ${refused}`)
  })

  test.skipIf(body === null)(
    'is not made of a malformed body, and the place of the fault is told',
    async () => {
      const good = await bodyOf()
      expect(await call('POST', path, { body: { ...good, surprise: 1 } })).toMatchObject({
        status: 400,
        body: { error: { message: 'body.surprise: there is no such field, got 1' } },
      })
      expect(await call('POST', path, { body: 'text' })).toMatchObject({
        status: 400,
        body: { error: { message: 'body: must be an object, got "text"' } },
      })
    },
  )

  test.skipIf(body === null)('is made once under one Idempotency-Key', async () => {
    const [wanted, other] = [await bodyOf(), await bodyOf()]
    const headers = { 'Idempotency-Key': newId() }
    const first = await call('POST', path, { body: wanted, headers })
    expect(first.status).toBe(201)
    expect((await call('POST', path, { body: wanted, headers })).text).toBe(first.text)
    expect(await call('POST', path, { body: other, headers })).toMatchObject({
      status: 422,
      body: { error: { code: 'idempotency_mismatch' } },
    })
  })

  test.skipIf(change === null)('is changed on its present version only', async () => {
    const before = await make()
    const one = `${path}/${idOf(before)}`
    const stale = { 'If-Match': `"${before.specVersion + 7}"` }
    expect(await call('PATCH', one, { body: change, headers: stale })).toMatchObject({
      status: 409,
      body: { error: { code: 'stale_version', facts: { currentSpecVersion: before.specVersion } } },
    })
    expect((await call('GET', one)).body.specVersion).toBe(before.specVersion)
    const present = { 'If-Match': `"${before.specVersion}"` }
    const after = await call('PATCH', one, { body: change, headers: present })
    expect([after.status, after.body]).toMatchObject([200, changed ?? change])
    expect(schema.safeParse(after.body)).toMatchObject({ success: true })
    expect(after.body.specVersion).toBe(before.specVersion + 1)
    expect(await call('PATCH', one, { body: { surprise: 1 } })).toMatchObject({ status: 400 })
    expect(await call('PATCH', `${path}/${absent}`, { body: change })).toMatchObject({ status: 404 })
    const viewer = await call('PATCH', one, { body: change, role: 'viewer' })
    expect(viewer).toMatchObject({ status: 403 })
  })

  test.skipIf(deletion === null)('is deleted, and on its present version only', async () => {
    const before = await make()
    const one = `${path}/${idOf(before)}`
    expect(await call('DELETE', one, { role: 'join' })).toMatchObject({ status: 403 })
    if (hasNoVersion !== true) {
      const headers = { 'If-Match': `"${before.specVersion + 7}"` }
      expect(await call('DELETE', one, { headers })).toMatchObject({
        status: 409,
        body: { error: { code: 'stale_version' } },
      })
    }
    const answer = await call('DELETE', one)
    expect([answer.status, idOf(answer.body)]).toEqual([deletion, idOf(before)])
    expect(await call('DELETE', `${path}/${absent}`)).toMatchObject({ status: 404 })
  })

  test.skipIf(!kind.hasEvents)('is in events', async () => {
    const answer = body === null ? null : await call('POST', path, { body: await bodyOf() })
    const [id = ''] =
      answer === null ? await makeTwo() : [idOf(made === undefined ? answer.body : answer.body[made])]
    const token = eventToken === undefined ? installation.token : answer?.body[eventToken]
    const headers = { Authorization: `Bearer ${token}` }
    const events = `/v1/events?after=0&kind=${kind.kind}&resourceId=${id}`
    // Events get their position a moment after the commit.
    const { body: page } = await eventually(
      async () => {
        const read = await call('GET', events, { headers })
        return read.body.items.length > 0 ? read : null
      },
      { timeoutMilliseconds: 10_000 },
    )
    expect(page.items[0]).toMatchObject({ verb: 'created', kind: kind.kind, resourceId: id })
    expect(idOf(page.items[0].resource)).toBe(id)
  })

  test.skipIf(kind.hasEvents)('has no events', async () => {
    expect(await call('GET', `/v1/events?after=0&kind=${kind.kind}`)).toMatchObject({ status: 400 })
  })
})
