import { createHmac } from 'node:crypto'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'

const secret = 'what the git server and Hearth know'
const urls = {
  clone_url: 'https://git.example/team/shop.git',
  git_http_url: 'https://git.example/team/shop.git',
}

let installation: Installation
let projectId: string
beforeAll(async () => {
  installation = await startInstallation()
}, 60_000)
afterAll(async () => {
  await installation?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  projectId = await project(true)
})

async function project(push: boolean): Promise<string> {
  const applied = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: `p-${newId()}`.slice(0, 40),
    repositories: [{ url: urls.clone_url, branch: 'main' }],
    secrets: { HOOK: secret },
    prebuilds: { classes: ['small', 'medium'], push, ...(push ? { webhookSecret: 'HOOK' } : {}) },
  })
  return applied.projectId
}

type Server = 'github' | 'gitea' | 'gitlab'
const bodyOf = (ref = 'refs/heads/main', after = newId().replaceAll('-', '').padEnd(40, 'a')) =>
  JSON.stringify({
    ref,
    after,
    pusher: { name: 'ada' },
    user_username: 'ada',
    repository: { default_branch: 'main', clone_url: urls.clone_url },
    project: { default_branch: 'main', git_http_url: urls.git_http_url },
  })

function signed(server: Server, body: string, with_ = secret): Record<string, string> {
  const hash = createHmac('sha256', with_).update(body).digest('hex')
  switch (server) {
    case 'github':
      return { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${hash}` }
    case 'gitea':
      return { 'X-Gitea-Event': 'push', 'X-Gitea-Signature': hash, 'X-Hub-Signature-256': `sha256=${hash}` }
    case 'gitlab':
      return { 'X-Gitlab-Event': 'Push Hook', 'X-Gitlab-Token': with_ }
    default:
      return server satisfies never
  }
}

async function send(headers: Record<string, string>, body: string, to = projectId) {
  const response = await fetch(`${installation.url}/v1/webhooks/${to}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  })
  return {
    status: response.status,
    answer: (await response.json()) as { prebuildIds?: string[]; ignored?: string },
  }
}
const prebuilds = () => installation.client.prebuilds.listAll({ projectId })

test.each(['github', 'gitea', 'gitlab'] as const)(
  'a push that %s signed makes one of each class, once',
  async (server) => {
    const body = bodyOf()
    const first = await send(signed(server, body), body)
    expect(first).toMatchObject({ status: 202, answer: { ignored: null } })
    expect(first.answer.prebuildIds).toHaveLength(2)
    const again = await send(signed(server, body), body)
    expect(again).toEqual({ status: 202, answer: { prebuildIds: [], ignored: 'it was delivered before' } })
    const made = await prebuilds()
    expect(made.map(({ metadata }) => metadata.id).sort()).toEqual(
      [...(first.answer.prebuildIds ?? [])].sort(),
    )
    for (const { spec } of made)
      expect(spec.trigger).toMatchObject({ kind: 'push', by: 'ada', ref: 'refs/heads/main' })
  },
)

test('the same delivery ten times at once makes one of each class', async () => {
  const body = bodyOf()
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(signed('github', body), body)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202))
  expect(answers.flatMap(({ answer }) => answer.prebuildIds)).toHaveLength(2)
  expect(await prebuilds()).toHaveLength(2)
})

test('a push of another branch leads to none, and so does what is no push', async () => {
  const first = bodyOf()
  const other = bodyOf('refs/heads/next')
  expect((await send(signed('github', other), other)).answer).toEqual({
    prebuildIds: [],
    ignored: 'the project follows main of it, not next',
  })
  const ping = { ...signed('github', first), 'X-GitHub-Event': 'ping' }
  expect((await send(ping, first)).answer.ignored).toContain('not a push')
  expect(await prebuilds()).toEqual([])
})

test('whoever cannot sign gets the same answer as for a project that is not there, whatever the body', async () => {
  const body = bodyOf()
  const without = await project(false)
  const refused = await Promise.all([
    send({}, body),
    send(signed('github', body, 'guessed'), body),
    send(signed('gitea', body, 'guessed'), body),
    send(signed('gitlab', body, 'guessed'), body),
    send(signed('github', body), `${body} `),
    send(signed('github', body), body, newId()),
    send(signed('github', body), body, without),
    send(signed('github', '', ''), '{not json'),
  ])
  for (const { status } of refused) expect(status).toBe(401)
  const told = refused.map(({ answer }) =>
    JSON.stringify({ ...answer, requestId: null }).replace(/"requestId":"[^"]*"/, ''),
  )
  expect(new Set(told).size).toBe(1)
  expect(await prebuilds()).toEqual([])
})

test('what is signed and is no push is refused with what is wrong, and so is what is too large', async () => {
  for (const body of ['{not json', '{"ref":3}', JSON.stringify({ ref: 'refs/heads/main', after: 'main' })])
    expect((await send(signed('github', body), body)).status).toBe(400)
  const large = JSON.stringify({ ...JSON.parse(bodyOf()), padding: 'x'.repeat(1024 * 1024) })
  expect((await send(signed('github', large), large)).status).toBe(413)
  expect(await prebuilds()).toEqual([])
})
