import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { RunnerFacts } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { RegistrationRefused, register } from './register.ts'

const facts: RunnerFacts = {
  virtualization: 'synthetic',
  virtualCpus: 1,
  memoryMebibytes: 1,
  diskGibibytes: 1,
  images: [],
  agentVersion: '0.1.0',
  sealingKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
}
const runnerId = newId()
const log = pino({ enabled: false })
const answer = {
  runnerId,
  organizationId: newId(),
  epoch: 3,
  nats: { servers: ['nats://h:1'], credentials: null },
}

async function withServer(
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  work: (url: string) => Promise<void>,
) {
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    handle(request, response, count)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await work(`http://127.0.0.1:${port}`).finally(() => server.close())
}

test('it asks again until the control plane answers, with the runner’s own token', async () => {
  const seen: (string | undefined)[] = []
  await withServer(
    (request, response, count) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      response.statusCode = count < 3 ? 503 : 200
      response.end(count < 3 ? 'starting' : JSON.stringify(answer))
    },
    async (url) => {
      const given = await register(
        { urls: [url], runnerId, token: 't' },
        facts,
        log,
        AbortSignal.timeout(5_000),
      )
      expect(given).toEqual(answer)
    },
  )
  expect(seen).toEqual(Array(3).fill(`POST /v1/runners/${runnerId}/registration Bearer t`))
})

test('an unreachable control plane is skipped for the next', async () => {
  let gone = ''
  await withServer(
    () => undefined,
    async (url) => {
      gone = url
    },
  )
  await withServer(
    (_, response) => response.end(JSON.stringify(answer)),
    async (url) => {
      const runner = { urls: [gone, url], runnerId, token: 't' }
      expect(await register(runner, facts, log, AbortSignal.timeout(5_000))).toEqual(answer)
    },
  )
})

test('a refusal is final', async () => {
  let asked = 0
  await withServer(
    (_, response) => {
      asked += 1
      response.statusCode = 401
      response.end('{"error":{"message":"unknown token"}}')
    },
    async (url) => {
      const refused = register({ urls: [url], runnerId, token: 't' }, facts, log, AbortSignal.timeout(5_000))
      await expect(refused).rejects.toThrow(RegistrationRefused)
      await expect(refused).rejects.toThrow('unknown token')
    },
  )
  expect(asked).toBe(1)
})
