import { gzipSync } from 'node:zlib'
import { toBinary } from '@bufbuild/protobuf'
import Gitpod from '@gitpod/sdk'
import { ListPrebuildsRequestSchema } from '@hearth/control-plane/ona/gitpod/v1/prebuild_pb'
import { newId } from '@hearth/foundation'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth } from '../../system/command.ts'
import { Ground } from './ground.ts'

let ground: Ground
beforeAll(async () => {
  ground = await Ground.start()
}, 60_000)
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]()
})

const service = 'gitpod.v1.PrebuildService'

interface Page {
  prebuilds: { id: string; spec: { specVersion: string; timeout: string }; status: { phase: string } }[]
  pagination: { nextToken?: string }
}

test('pages are asked for by the body, and by the query, which wins', async () => {
  const projectId = await ground.project('quick')
  const environmentClassId = await ground.classNamed('quick')
  const made: string[] = []
  for (let count = 0; count < 5; count += 1) {
    const answer = await ground.post(`${service}/CreatePrebuild`, { projectId, environmentClassId, spec: {} })
    made.unshift(((await answer.json()) as { prebuild: { id: string } }).prebuild.id)
  }
  const body = { filter: { projectIds: [projectId] }, pagination: { pageSize: 2 } }
  const first = (await (await ground.post(`${service}/ListPrebuilds`, body)).json()) as Page
  expect(first.prebuilds[0]).toMatchObject({ spec: { specVersion: '1', timeout: '3600s' } })
  expect(first.prebuilds[0]?.status.phase).toMatch(/^PREBUILD_PHASE_[A-Z]+$/)
  const seen = first.prebuilds.map(({ id }) => id)
  let token = first.pagination.nextToken
  while (token !== undefined) {
    const next = (await (await ground.post(`${service}/ListPrebuilds?token=${token}`, body)).json()) as Page
    seen.push(...next.prebuilds.map(({ id }) => id))
    token = next.pagination.nextToken
  }
  expect(seen).toEqual(made)
  const three = (await (await ground.post(`${service}/ListPrebuilds?pageSize=3`, body)).json()) as Page
  expect(three.prebuilds).toHaveLength(3)
})

test('what only reads may be asked for with GET', async () => {
  const message = encodeURIComponent(JSON.stringify({ pagination: { pageSize: 1 } }))
  const url = `${ground.baseUrl}/${service}/ListPrebuilds?encoding=json&connect=v1&message=${message}`
  const headers = { Authorization: `Bearer ${ground.installation.token}` }
  const answer = await fetch(url, { headers })
  expect(answer.status).toBe(200)
  expect(Object.keys((await answer.json()) as object)).toContain('pagination')
  expect((await fetch(url.replace('ListPrebuilds', 'DeletePrebuild'), { headers })).status).toBe(405)
})

test('errors have their code, their status, and are not asked for again where that is of no use', async () => {
  const told = async (answer: Response) => {
    const { code } = (await answer.json()) as { code: string }
    return [answer.status, code, answer.headers.get('x-should-retry')]
  }
  const projectId = await ground.project('quick')
  const environmentClassId = await ground.classNamed('quick')
  const pool = { projectId, environmentClassId }
  await ground.post(`${service}/CreateWarmPool`, pool)
  expect(await told(await ground.post(`${service}/CreateWarmPool`, pool))).toEqual([
    409,
    'already_exists',
    'false',
  ])
  const unknown = { prebuildId: newId() }
  expect(await told(await ground.post(`${service}/GetPrebuild`, unknown))).toEqual([
    404,
    'not_found',
    'false',
  ])
  expect(await told(await ground.post(`${service}/GetPrebuild`, {}))).toEqual([
    400,
    'invalid_argument',
    'false',
  ])
  expect((await told(await ground.post(`${service}/GetPrebuild`, '{"prebuildId":')))[1]).toBe(
    'invalid_argument',
  )
  expect((await told(await ground.post(`${service}/Unheard`, {})))[1]).toBe('unimplemented')
  expect((await told(await ground.post('gitpod.v1.AgentService/StartAgent', {})))[0]).toBe(501)
  const stranger = { Authorization: 'Bearer hearth_none' }
  expect((await told(await ground.post(`${service}/GetPrebuild`, unknown, stranger))).slice(0, 2)).toEqual([
    401,
    'unauthenticated',
  ])
})

test('what is malformed, or would grow too large, is refused, and the server goes on', async () => {
  const path = `${ground.baseUrl}/${service}/ListPrebuilds`
  const send = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
    fetch(path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ground.installation.token}`, ...headers },
      body,
    })
  const proto = { 'Content-Type': 'application/proto' }
  const good = new Uint8Array(
    toBinary(ListPrebuildsRequestSchema, { $typeName: 'gitpod.v1.ListPrebuildsRequest' }),
  )
  expect((await send(good, proto)).status).toBe(200)
  expect((await send(new Uint8Array(gzipSync(good)), { ...proto, 'Content-Encoding': 'gzip' })).status).toBe(
    200,
  )
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 ** 2)))
  for (const [body, headers] of [
    [new Uint8Array([0x0a, 0xff, 0xff, 0xff]), proto],
    [new Uint8Array([1, 2, 3]), { ...proto, 'Content-Encoding': 'gzip' }],
    [bomb, { ...proto, 'Content-Encoding': 'gzip' }],
    [new Uint8Array(Buffer.from('['.repeat(100_000))), { 'Content-Type': 'application/json' }],
    [new Uint8Array(1024 ** 2 + 1), proto],
  ] as const) {
    const answer = await send(body, headers)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(Object.keys((await answer.json()) as object)).toContain('code')
  }
  expect((await send(good, { 'Content-Type': 'text/plain' })).status).toBe(415)
  expect((await send(good, proto)).status).toBe(200)
})

test('shows with which client each token was last used', async () => {
  const { secret } = await ground.native.tokens.create({ name: 'shared', roles: ['member'] })
  const clientIs = (pattern: RegExp) =>
    eventually(
      async () => {
        const found = (await ground.native.tokens.listAll({})).find(({ name }) => name === 'shared')
        return pattern.test(found?.lastClient ?? '')
      },
      { timeoutMilliseconds: 20_000 },
    )
  await new Gitpod({ baseURL: ground.baseUrl, bearerToken: secret }).identity.getAuthenticatedIdentity({})
  await clientIs(/^ona: Gitpod\/JS 0\.6\.0$/)
  const { stdout } = await hearth(ground.installation, 'token', 'list')
  expect(stdout).toMatch(/shared .* ona: Gitpod\/JS 0\.6\.0/)
  await eventually(
    async () => {
      await hearth({ ...ground.installation, token: secret }, 'get', 'projects')
      return (await ground.native.tokens.listAll({})).some(({ lastClient }) =>
        /^hearth: hearth\/\d/.test(lastClient ?? ''),
      )
    },
    { timeoutMilliseconds: 20_000 },
  )
})
