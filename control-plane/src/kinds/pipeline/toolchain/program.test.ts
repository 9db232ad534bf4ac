import { createHash } from 'node:crypto'
import { type PipelineProgramText, pipelineRuntimeSettingsSchema } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '../../../database/transact.ts'
import { artifactBytes, findArtifact, releaseArtifacts } from '../../artifact/index.ts'
import { World } from '../../world.fixture.ts'
import { makePipeline } from '../pipeline.fixture.ts'
import { programArchive, storeProgram } from './program.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const text: PipelineProgramText = {
  toolchain: 'sql',
  code: `CREATE TABLE t (a INT)${' '.repeat(1_500_000)}`,
  udfRust: '',
  udfToml: '',
  configuration: {},
}
const holdsOf = async (id: string) => {
  const held = await world.database
    .selectFrom('artifact_holds')
    .select('artifact_id')
    .where('holder_id', '=', id)
    .execute()
  return held.map(({ artifact_id }) => artifact_id)
}

test('a program is stored once for all pipelines that have it, for as long as one does, and is no uploaded app', async () => {
  const { database } = world
  const party = await world.party()
  const [first, second] = [await makePipeline(party), await makePipeline(party)]
  const { organization_id } = await database
    .selectFrom('pipelines')
    .select('organization_id')
    .where('id', '=', first)
    .executeTakeFirstOrThrow()
  const store = (id: string, program: PipelineProgramText, settings = {}) =>
    transact(database, (tx) =>
      storeProgram(tx, { id, organization_id }, program, pipelineRuntimeSettingsSchema.parse({ settings })),
    )
  const [{ archive, runtime }, again, others] = await Promise.all([
    store(first, text),
    store(first, text),
    store(second, text),
  ])
  expect([again.archive, others.archive]).toEqual([archive, archive])
  const pieces: Buffer[] = []
  for await (const piece of artifactBytes(database, { id: archive.artifactId, length: archive.bytes }))
    pieces.push(piece)
  const content = Buffer.concat(pieces)
  expect(content.equals(programArchive(text))).toBe(true)
  expect(createHash('sha256').update(content).digest('hex')).toBe(archive.digest)
  expect(await findArtifact(database, organization_id, archive.artifactId)).toBeUndefined()
  const other = await store(first, { ...text, code: 'CREATE TABLE u (a INT)' })
  expect(new Set(await holdsOf(first))).toEqual(new Set([other.archive.artifactId, runtime.artifactId]))
  expect(new Set(await holdsOf(second))).toEqual(new Set([archive.artifactId, runtime.artifactId]))
  const faster = await store(second, text, { max: 'é' })
  // What it has built is found by the archive, which stays.
  expect(faster.archive).toEqual(archive)
  expect(new Set(await holdsOf(second))).toEqual(new Set([archive.artifactId, faster.runtime.artifactId]))
  const told: Buffer[] = []
  const { artifactId, bytes } = faster.runtime
  for await (const piece of artifactBytes(database, { id: artifactId, length: bytes })) told.push(piece)
  expect(JSON.parse(Buffer.concat(told).toString())).toMatchObject({ workers: 8, settings: { max: 'é' } })
  await transact(database, (tx) => releaseArtifacts(tx, first))
  expect(await holdsOf(first)).toEqual([])
})
