import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { damagedFiles, layersCheck } from './layers.ts'

let state: string
let layerId: string
let folder: string
const disk = () => join(folder, 'disk.qcow2')
const memory = () => join(folder, 'memory')

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'hearth-layers-'))
  layerId = newId()
  folder = join(state, 'agent', 'layers', layerId)
  mkdirSync(folder, { recursive: true })
  writeFileSync(disk(), 'what the machine wrote')
  writeFileSync(memory(), 'what it remembered')
  describeLayer('present')
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const described = (text: string) => ({
  bytes: text.length,
  digest: createHash('sha256').update(text).digest('hex'),
})
const facts = {
  parentId: null,
  depth: 1,
  disk: described('what the machine wrote'),
  memory: described('what it remembered'),
  memoryFault: null,
  totalBytes: 1_000,
  virtualBytes: 4_000,
  pausedMilliseconds: null,
}
const describeLayer = (phase: string, change: object = {}) =>
  writeFileSync(join(folder, 'layer.json'), JSON.stringify({ phase, facts, flattened: null, ...change }))
/** What an agent notes of files whose digests are right. */
function note(): void {
  const mark = (path: string) => {
    const { size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    const seconds = (time: bigint) =>
      `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`
    return { bytes: Number(size), modified: seconds(mtimeNs), changed: seconds(ctimeNs) }
  }
  writeFileSync(join(folder, 'marks.json'), JSON.stringify({ disk: mark(disk()), memory: mark(memory()) }))
}
const examine = (readsLayers = false) =>
  layersCheck.examine({
    stateFolder: state,
    isRoot: false,
    variables: {},
    context: null,
    runsHere: false,
    readsLayers,
    now: () => new Date(),
  })

test('a layer whose files are what they were is whole', async () => {
  expect(await examine()).toMatchObject([{ level: 'ok', message: '1 layers of snapshots are whole' }])
  note()
  expect(await examine(true)).toMatchObject([{ level: 'ok' }])
})

test('a truncated file is named with its layer, its sizes and what to do', async () => {
  note()
  truncateSync(disk(), 4)
  expect(await examine()).toMatchObject([
    {
      level: 'problem',
      message: expect.stringContaining(`layer ${layerId}: ${disk()} is 4 bytes long, not 22`),
      remedy: expect.stringContaining(`hearth snapshot delete ${layerId} --force`),
    },
  ])
})

test('a file that was changed and kept its size is found by its digest', async () => {
  note()
  writeFileSync(memory(), 'what it remembeReD')
  const found = await damagedFiles(folder, false)
  expect(found).toMatchObject([{ layerId, path: memory(), why: expect.stringContaining('another SHA-256') }])
})

test('a file that is gone is missed, and every fault is named', async () => {
  rmSync(disk())
  appendFileSync(memory(), '!')
  expect((await damagedFiles(folder, false)).map(({ path, why }) => [path, why])).toEqual([
    [disk(), 'is not there'],
    [memory(), expect.stringContaining('19 bytes long, not 18')],
  ])
})

test('what is untouched by its times is read only where that is asked for', async () => {
  describeLayer('present', { facts: { ...facts, disk: { bytes: 22, digest: 'a'.repeat(64) } } })
  note()
  expect(await damagedFiles(folder, false)).toEqual([])
  expect(await damagedFiles(folder, true)).toMatchObject([{ path: disk() }])
})

test('a flattened disk that has taken its place is whole, and one that is being made is left alone', async () => {
  const flat = 'all of it in one'
  describeLayer('present', { flattened: { ...facts, disk: described(flat) } })
  writeFileSync(disk(), flat)
  expect(await damagedFiles(folder, true)).toEqual([])
  describeLayer('freezing')
  expect(await damagedFiles(folder, true)).toEqual([])
})

test('a folder that does not say whose it is is named', async () => {
  writeFileSync(join(folder, 'layer.json'), '{')
  expect(await damagedFiles(folder, false)).toMatchObject([
    { path: join(folder, 'layer.json'), why: expect.stringContaining('cannot be read') },
  ])
})
