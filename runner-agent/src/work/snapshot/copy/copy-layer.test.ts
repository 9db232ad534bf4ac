import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { SnapshotOrder } from '@hearth/contract'
import { generateSealingKeyPair, newId, seal } from '@hearth/foundation'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authority, putLayer, startTwoHosts } from '../two-hosts.fixture.ts'
import { LayerUnreachable } from './client.ts'
import { copyLayer } from './copy-layer.ts'
import { Grants } from './grants.ts'
import { serveLayers } from './server.ts'

const [reader, server] = [generateSealingKeyPair(), generateSealingKeyPair()]
const stopping = new AbortController()
let hosts: Awaited<ReturnType<typeof startTwoHosts>>
let now = new Date()
const grants = new Grants(server.privateKey, { now: () => now })
let port: number
let serving: Promise<void>
beforeAll(async () => {
  hosts = await startTwoHosts()
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  port = (probe.address() as AddressInfo).port
  probe.close()
  const { layers } = hosts.hosts[0]
  serving = serveLayers({ host: '127.0.0.1', port }, { layers, grants, log: silent }, stopping.signal)
})
afterAll(async () => {
  stopping.abort()
  await serving
  await hosts[Symbol.asyncDispose]()
})

const silent = pino({ enabled: false })
const size = 9 * 1024 ** 2

/** A layer on the first host, offered to the second, and the second's order to copy it. */
async function offer({ key = randomBytes(32), seconds = 60 } = {}) {
  const content = { disk: randomBytes(size), memory: randomBytes(10_000) }
  const manifest = await putLayer(hosts.hosts[0], content)
  const [id, expiresAt] = [newId(), new Date(now.getTime() + seconds * 1000).toISOString()]
  const sealedFor = (publicKey: string) => seal(key.toString('base64'), publicKey, id)
  const offered = { id, readerId: hosts.runners[1], sealedKey: sealedFor(server.publicKey), expiresAt }
  grants.replace(manifest.layerId, [offered])
  const order: SnapshotOrder = {
    ...{ kind: 'snapshot', id: manifest.layerId, runnerId: hosts.runners[1], organizationId: newId() },
    ...{ epoch: 1, generation: 1, desiredPhase: 'present', sealedForbidden: null },
    source: {
      ...{ kind: 'runner', runnerId: hosts.runners[0] },
      grant: { id, host: '127.0.0.1', port, sealedKey: sealedFor(reader.publicKey), expiresAt },
    },
  }
  return { content, manifest, order }
}

type Progress = (doneBytes: number, totalBytes: number) => void
const copy = (
  order: SnapshotOrder,
  progress: Progress = () => undefined,
  signal = new AbortController().signal,
) => copyLayer({ order, authority, interrupted: signal }, hosts.hosts[1].layers, reader.privateKey, progress)

test('the disk of a layer is copied whole, with real progress; its memory stays where it was frozen', async () => {
  const { content, manifest, order } = await offer()
  const done: number[] = []
  await expect
    .poll(() => copy(order, (bytes) => done.push(bytes)).then(() => true), { timeout: 10_000 })
    .toBe(true)
  const { layers } = hosts.hosts[1]
  const { facts, phase, origin, machine } = await layers.look(order.id)
  expect([phase, facts?.disk, facts?.memory, origin]).toEqual([
    ...['present', manifest.facts.disk, null, manifest.origin],
  ])
  expect(facts?.memoryFault).toContain('memory is used only on the runner where it was frozen')
  expect(machine).toEqual({ ...manifest.machine, emulation: null })
  expect((await layers.read(order.id, 'disk', 0, 20_000)).equals(content.disk.subarray(0, 20_000))).toBe(true)
  expect(done).toEqual([...done].sort((one, other) => one - other))
  expect(done.at(-1)).toBe(size)
})

test('a copy that was cut goes on from what is there', async () => {
  const { order } = await offer()
  const cut = new AbortController()
  const reached: number[] = []
  const first = copy(order, (bytes) => (bytes > 0 ? cut.abort(new Error('cut')) : undefined), cut.signal)
  await expect(first).rejects.toThrow()
  expect((await hosts.hosts[1].layers.look(order.id)).phase).toBe('partial')
  await copy(order, (bytes) => reached.push(bytes))
  expect(reached[0]).toBeGreaterThan(0)
  expect((await hosts.hosts[1].layers.look(order.id)).phase).toBe('present')
})

test('without the key, after the end of the grant and for another layer nothing is read', async () => {
  const { order } = await offer()
  const foreign = { ...order, id: newId() }
  await expect(copy(foreign)).rejects.toThrow(/has another layer/)
  grants.replace(order.id, [])
  await expect(copy(order)).rejects.toThrow(LayerUnreachable)
  const wrong = await offer({ key: randomBytes(32) })
  const { source } = wrong.order
  if (source.kind !== 'runner') throw new Error('the order copies')
  const sealedKey = seal(randomBytes(32).toString('base64'), reader.publicKey, source.grant.id)
  const guessed = { ...wrong.order, source: { ...source, grant: { ...source.grant, sealedKey } } }
  await expect(copy(guessed)).rejects.toThrow(LayerUnreachable)
  const late = await offer({ seconds: 1 })
  now = new Date(now.getTime() + 2_000)
  await expect(copy(late.order)).rejects.toThrow()
  for (const { id } of [order, wrong.order, late.order])
    expect((await hosts.hosts[1].layers.look(id)).phase).toBe('absent')
})

test('a grant that ends while its connection goes on is refused at the next piece', async () => {
  const { order } = await offer()
  const copying = copy(order, (bytes) => {
    if (bytes > 0) grants.replace(order.id, [])
  })
  await expect(copying).rejects.toThrow(/403 the grant has ended/)
})
