import { randomBytes } from 'node:crypto'
import { artifactLimits } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../world.fixture.ts'
import { beginArtifact, storeChunk } from './queries.ts'
import { artifactBytes, StoredBytes } from './stored-bytes.ts'

const { chunkBytes } = artifactLimits
const content = randomBytes(2 * chunkBytes + 100_000)
const id = newId()
let world: World
beforeAll(async () => {
  world = await World.create()
  const { organizationId } = await world.party()
  await beginArtifact(world.database, id, organizationId)
  for (let number = 0; number * chunkBytes < content.length; number += 1) {
    const chunk = content.subarray(number * chunkBytes, (number + 1) * chunkBytes)
    expect(await storeChunk(world.database, id, number, chunk)).toBe(true)
  }
})
afterAll(() => world[Symbol.asyncDispose]())

async function bytesFrom(from: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of artifactBytes(world.database, { id, length: content.length, from }))
    pieces.push(piece)
  return Buffer.concat(pieces)
}

test.each([
  [0, 30],
  [65_530, 65_550],
  [chunkBytes - 10, chunkBytes + 10],
  [chunkBytes - 1, 2 * chunkBytes + 1],
  [content.length - 1, content.length],
  [0, content.length],
  [500, 500],
])('bytes %i to %i are those that were stored, wherever pieces and chunks end', async (from, to) => {
  const bytes = new StoredBytes(world.database, id, content.length)
  expect((await bytes.read(from, to)).equals(content.subarray(from, to))).toBe(true)
})

test.each([0, 1, 262_144, chunkBytes - 1, 2 * chunkBytes, content.length - 1])(
  'all bytes from %i on are those that were stored',
  async (from) => {
    expect((await bytesFrom(from)).equals(content.subarray(from))).toBe(true)
  },
)

test('of an artifact that is gone nothing can be read', async () => {
  const gone = newId()
  await expect(new StoredBytes(world.database, gone, 100).read(0, 10)).rejects.toMatchObject({
    code: 'not_found',
  })
})
