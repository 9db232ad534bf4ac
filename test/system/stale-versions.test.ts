import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Installation } from './installation.ts'
import { idOf, publicKey, type RequestParty, startRequestParty } from './request-party.ts'

let party: RequestParty
let installation: Installation

beforeAll(async () => {
  party = await startRequestParty()
  installation = party.installation
})
afterAll(() => party[Symbol.asyncDispose]())

const send: RequestParty['send'] = (...request) => party.send(...request)
const runningEnvironment = (claimId: string | null) => party.runningEnvironment(claimId)

describe('If-Match', () => {
  /** One of each kind that has a spec, and every way to change it. */
  const kinds: { name: string; make(): Promise<string>; changes: [string, string, unknown][] }[] = [
    {
      name: 'projects',
      make: async () =>
        idOf(await send(installation.url, 'POST', '/v1/projects', { name: 'match', spec: {} })),
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'environment-classes',
      make: async () =>
        idOf(
          await send(installation.url, 'POST', '/v1/environment-classes', {
            name: 'match',
            spec: { virtualCpus: 1, memoryMebibytes: 1_024, diskGibibytes: 8, image: 'debian-12' },
          }),
        ),
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'runners',
      make: async () =>
        (await installation.client.runners.create({ name: 'match', spec: {} })).runner.metadata.id,
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'organizations',
      make: async () => (await installation.client.whoami()).organizationId,
      changes: [['PATCH', '', { labels: {} }]],
    },
    {
      name: 'warm-pools',
      make: async () => {
        const { warmPools } = await installation.client.apply({
          apiVersion: 'hearth/v1',
          name: 'match-pool',
          warmPools: [{ min: 0 }],
        })
        return warmPools[0]?.id ?? ''
      },
      changes: [
        ['PATCH', '', { labels: {} }],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'environments',
      make: () => runningEnvironment(null),
      changes: [
        ['PATCH', '', { labels: { a: 'b' } }],
        ['POST', '/retry', {}],
        ['DELETE', '', undefined],
      ],
    },
    {
      name: 'claims',
      make: async () => {
        await installation.client.apply({
          apiVersion: 'hearth/v1',
          name: 'match-claim',
          warmPools: [{ min: 0 }],
        })
        const spec = { project: 'match-claim', fallback: 'cold', publicKey: publicKey('e') }
        return idOf(await send(installation.url, 'POST', '/v1/claims', { spec }))
      },
      changes: [['DELETE', '', undefined]],
    },
  ]

  test.each(kinds)(
    'of an older version is refused for $name with the current one, and changes nothing',
    async ({ name, make, changes }) => {
      const path = `/v1/${name}/${await make()}`
      for (const [method, below, body] of changes) {
        const before = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
        expect(before.specVersion).toBeGreaterThan(0)
        expect(before.statusVersion).toBeGreaterThan(0)
        expect(before.status.observedSpecVersion).toBeGreaterThanOrEqual(0)
        const stale = await send(installation.url, method, path + below, body, {
          'if-match': `"${before.specVersion + 7}"`,
        })
        expect([method, stale.status, JSON.parse(stale.text).error]).toMatchObject([
          method,
          409,
          { code: 'stale_version', facts: { currentSpecVersion: before.specVersion } },
        ])
        const after = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
        expect(after.specVersion).toBe(before.specVersion)
        const good = await send(installation.url, method, path + below, body, {
          'if-match': `"${before.specVersion}"`,
        })
        expect(good.status, good.text).toBeLessThan(300)
      }
    },
  )

  test('of two changes of the same version, one is refused', async () => {
    const { organizationId } = await installation.client.whoami()
    for (const path of [`/v1/organizations/${organizationId}`, '/v1/environment-classes/small']) {
      const { specVersion } = JSON.parse((await send(installation.url, 'GET', path, undefined)).text)
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          send(
            index % 2 === 0 ? installation.url : party.second.url,
            'PATCH',
            path,
            { labels: { writer: `${index}` } },
            { 'if-match': `"${specVersion}"` },
          ),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort((one, other) => one - other)
      expect(statuses).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
    }
  })

  test('holds for apply, for which a missing project has the version 0', async () => {
    const apply = (version: number) =>
      send(
        installation.url,
        'POST',
        '/v1/apply',
        { apiVersion: 'hearth/v1', name: 'match-apply', setup: [`v${version}`] },
        { 'if-match': `"${version}"` },
      )
    expect((await apply(1)).status).toBe(409)
    expect((await apply(0)).status).toBe(200)
    expect((await apply(0)).status).toBe(409)
    expect((await apply(1)).status).toBe(200)
  })
})
