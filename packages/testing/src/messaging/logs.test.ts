import type { LogChunk } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { connectMessaging, type Messaging } from '@hearth/messaging'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNats, type TestNats } from '../nats.ts'
import { sampleChunk } from './samples.ts'

let server: TestNats
let messaging: Messaging
const runnerId = newId()

beforeAll(async () => {
  server = await startTestNats()
  messaging = await connectMessaging({ servers: [server.url], name: 'logs' })
  await messaging.ensureStreams()
})
afterAll(async () => {
  await messaging?.close()
  await server?.[Symbol.asyncDispose]()
})

async function write(environmentId: string, step: string, texts: readonly string[]): Promise<void> {
  let offset = 0
  for (const text of texts) {
    await messaging.publishLog(runnerId, sampleChunk({ environmentId, step, offset, text }))
    offset += Buffer.byteLength(text)
  }
}

async function readAll(environmentId: string, step?: string): Promise<string> {
  let text = ''
  const options = {
    follow: false,
    signal: new AbortController().signal,
    ...(step === undefined ? {} : { step }),
  }
  for await (const chunk of messaging.readLogs(runnerId, environmentId, options)) text += chunk.text
  return text
}

test('output is read from its start to what is there now, of all steps or of one', async () => {
  const environmentId = newId()
  await write(newId(), 'project_setup', ['of another environment'])
  await write(environmentId, 'clone_repo.shop', ['clone ', 'done\n'])
  await write(environmentId, 'project_setup', ['set up\n'])
  expect(await readAll(environmentId)).toBe('clone done\nset up\n')
  expect(await readAll(environmentId, 'clone_repo.shop')).toBe('clone done\n')
  expect(await readAll(environmentId, 'project_setup')).toBe('set up\n')
})

test('reading ends at once if there is nothing', async () => {
  expect(await readAll(newId())).toBe('')
})

test('following gives existing output, then new output, until the signal', async () => {
  const environmentId = newId()
  await write(environmentId, 'project_setup', ['before'])
  const controller = new AbortController()
  const reader = messaging
    .readLogs(runnerId, environmentId, { follow: true, signal: controller.signal })
    [Symbol.asyncIterator]()
  const next = async (): Promise<LogChunk | undefined> => (await reader.next()).value
  expect((await next())?.text).toBe('before')
  const waiting = next()
  await write(environmentId, 'repo_setup.shop', ['after'])
  expect((await waiting)?.text).toBe('after')
  const end = next()
  controller.abort()
  expect(await end).toBeUndefined()
})

test('what another runner sends under the id of an environment is not read', async () => {
  const environmentId = newId()
  await messaging.publishLog(newId(), sampleChunk({ environmentId, text: 'forged' }))
  await write(environmentId, 'project_setup', ['true'])
  expect(await readAll(environmentId)).toBe('true')
})

test('a large log comes whole and in order', async () => {
  const environmentId = newId()
  const texts = Array.from({ length: 600 }, (_, index) => `${index} ${'x'.repeat(1_000)}\n`)
  await write(environmentId, 'project_setup', texts)
  expect(await readAll(environmentId)).toBe(texts.join(''))
})

test('a piece the server would refuse is refused here, with both sizes', async () => {
  const piece = sampleChunk({ text: 'x'.repeat(9 * 1024 * 1024) })
  await expect(messaging.publishLog(runnerId, piece)).rejects.toMatchObject({ code: 'too_large' })
})
