import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import { parseNetwork } from '@hearth/control-plane'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'

/** Routes that are open to anybody, asked from several addresses of this host. */
const secret = 'what the git server and Hearth know'
const proxy = '127.0.0.9'
let installation: Installation
let projectId: string

beforeAll(async () => {
  const trustedProxies = [parseNetwork(proxy) ?? []].flat()
  installation = await startInstallation({ senders: { requestsPerSecond: 0.1, trustedProxies } })
  const applied = await installation.client.apply({
    apiVersion: 'hearth/v1',
    name: 'shop',
    repositories: [{ url: 'https://git.example/team/shop.git', branch: 'main' }],
    secrets: { HOOK: secret },
    prebuilds: { classes: ['small'], push: true, webhookSecret: 'HOOK' },
  })
  projectId = applied.projectId
}, 60_000)
afterAll(async () => {
  await installation?.[Symbol.asyncDispose]()
})

interface Answer {
  status: number
  retryAfter: string | undefined
  body: { prebuildIds?: string[]; error?: { code: string; message: string } }
}

/** Asks from one of this host's own addresses. */
function ask(
  from: string,
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${installation.url}${path}`,
      { method, headers, localAddress: from, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'],
            body: JSON.parse(text) as Answer['body'],
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

function push(from: string, headers: Record<string, string> = {}): Promise<Answer> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    after: newId().replaceAll('-', '').padEnd(40, 'a'),
    repository: { default_branch: 'main', clone_url: 'https://git.example/team/shop.git' },
  })
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const signed = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${signature}` }
  return ask(from, 'POST', `/v1/webhooks/${projectId}`, { ...signed, ...headers }, body)
}

async function flood(from: string, headers: (index: number) => Record<string, string>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let index = 0; index < 5; index += 1)
    answers.push(await ask(from, 'POST', `/v1/webhooks/${projectId}`, headers(index), 'x'.repeat(50_000)))
  return answers
}

test('a flood from one address is refused, whatever it says of itself, and another’s push gets through', async () => {
  const answers = await flood('127.0.0.2', (index) => ({ 'X-Forwarded-For': `203.0.113.${index}` }))
  expect(answers.map(({ status }) => status)).toEqual([401, 429, 429, 429, 429])
  const [, refused] = answers
  expect(Number(refused?.retryAfter)).toBeGreaterThan(0)
  expect(refused?.body.error).toMatchObject({
    code: 'rate_limited',
    message: expect.stringContaining('come from 127.0.0.2'),
  })
  const pushed = await push('127.0.0.3')
  expect(pushed).toMatchObject({ status: 202, body: { prebuildIds: [expect.any(String)] } })
  // The bound is one for all that is open, and what needs a token is not part of it.
  const log = `/v1/prebuilds/${pushed.body.prebuildIds?.[0]}/log?token=guessed`
  expect((await ask('127.0.0.2', 'GET', log)).status).toBe(429)
  const known = { Authorization: `Bearer ${installation.token}` }
  expect((await ask('127.0.0.2', 'GET', '/v1/projects', known)).status).toBe(200)
})

test('behind a trusted proxy each sender counts for itself, whatever it writes before the proxy’s word', async () => {
  const answers = await flood(proxy, (index) => ({
    'X-Forwarded-For': `198.51.100.${index}, 203.0.113.5`,
  }))
  expect(answers.map(({ status }) => status)).toEqual([401, 429, 429, 429, 429])
  expect(answers[1]?.body.error?.message).toContain('come from 203.0.113.5')
  expect((await push(proxy, { 'X-Forwarded-For': '203.0.113.5, 198.51.100.7' })).status).toBe(202)
})
