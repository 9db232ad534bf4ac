import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Layers } from '../../host/layers.ts'
import { formsOf } from './forbidden-values.ts'
import { foundFailure, searchLayer } from './layer-search.ts'
import { putLayer, startTwoHosts } from './two-hosts.fixture.ts'

let hosts: Awaited<ReturnType<typeof startTwoHosts>>
beforeAll(async () => {
  hosts = await startTwoHosts()
})
afterAll(() => hosts[Symbol.asyncDispose]())

const secret = 'correct-horse-battery'
const forms = [...formsOf('OTHER', 'not in there at all'), ...formsOf('TOKEN', secret)]
const never = new AbortController().signal
const search = async (content: { disk: Buffer; memory?: Buffer }, layers: Layers = hosts.hosts[0].layers) => {
  const { layerId } = await putLayer(hosts.hosts[0], content)
  return searchLayer(layers, layerId, forms, () => undefined, never)
}

test('random bytes hold no secret', async () => {
  const content = { disk: randomBytes(300_000), memory: randomBytes(300_000) }
  expect(await search(content)).toBeNull()
})

test.each([
  ['the value', Buffer.from(secret)],
  ['its base64', Buffer.from(Buffer.from(`user:${secret}\n`).toString('base64'))],
])('%s is found wherever it stands, and named without its value', async (_, form) => {
  for (const offset of [0, 16_384 - 5, 200_000]) {
    const disk = Buffer.concat([randomBytes(offset), form, randomBytes(100_000)])
    const found = await search({ disk })
    expect(found).toMatchObject({ secret: 'TOKEN', file: 'disk' })
    const message = foundFailure(found ?? { secret: '', offset: 0, file: 'disk' }).message
    expect(message).toContain('TOKEN')
    expect(message).not.toContain(secret)
  }
  const memory = Buffer.concat([randomBytes(70_000), form])
  expect(await search({ disk: randomBytes(4_096), memory })).toMatchObject({ file: 'memory' })
})

test('a value on two blocks that only the guest sees beside each other is found', async () => {
  const { layers } = hosts.hosts[0]
  const [first, second] = [Buffer.alloc(512), Buffer.alloc(512)]
  first.write(secret.slice(0, 10), 502)
  second.write(secret.slice(10), 0)
  const disk = Buffer.concat([second, randomBytes(512), first])
  expect(await search({ disk })).toBeNull()
  const inGuestsOrder: Layers = Object.create(layers, {
    content: {
      value: async () => [
        { offset: 1_024, length: 512, isContinued: false },
        { offset: 0, length: 512, isContinued: true },
      ],
    },
  })
  expect(await search({ disk }, inGuestsOrder)).toMatchObject({ secret: 'TOKEN' })
})

test('a search that is interrupted ends', async () => {
  const { layerId } = await putLayer(hosts.hosts[0], { disk: randomBytes(4_096) })
  const ended = AbortSignal.abort(new Error('a newer order came'))
  const searching = searchLayer(hosts.hosts[0].layers, layerId, forms, () => undefined, ended)
  await expect(searching).rejects.toThrow('a newer order came')
})
