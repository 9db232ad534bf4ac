import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HandMadeEntry, handMadeZip } from '../../zip.fixture.ts'
import { unpackArchive } from './unpack.ts'

let folder: string
let archive: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-unpack-'))
  archive = join(folder, `it's.zip`)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Unpacks a ZIP as a release; where it is then. */
async function unpack(
  zip: Buffer | string,
  bytes: number,
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  writeFileSync(archive, zip)
  const script = `${unpackArchive(archive, { folder: 'release', bytes })}pwd`
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, ...variables },
  })
  return stdout.trim()
}

const mebibyte = 1024 * 1024
const zeros = Buffer.alloc(4 * mebibyte)
const honest: HandMadeEntry = { name: 'honest', content: zeros }
const lying = (name: string): HandMadeEntry => ({ name, content: zeros, unpackedBytes: 1 })
const rule = (bytes: number) => `its files have more than the ${bytes} bytes that it says they have`

test('what a ZIP says that it has is unpacked to the last byte, and readable for its owner', async () => {
  const entries = [honest, { name: 'src/main.py', content: 'print(1)', mode: 0o100000 }]
  expect(await unpack(handMadeZip(entries), zeros.length + 8)).toBe(join(folder, 'release'))
  expect(readFileSync(join(folder, 'release/src/main.py'), 'utf8')).toBe('print(1)')
  expect(readFileSync(join(folder, 'release/honest')).equals(zeros)).toBe(true)
  expect(readdirSync(folder).sort()).toEqual([`it's.zip`, 'release'])
})

test('a ZIP of nothing is unpacked', async () => {
  await unpack(handMadeZip([{ name: 'empty' }]), 0)
  expect(readdirSync(join(folder, 'release'))).toEqual(['empty'])
})

test.each<[what: string, entries: HandMadeEntry[], bytes: number]>([
  ['one file has more than all are to have', [lying('a')], 1],
  ['files have more together, none of them alone', [honest, lying('a'), lying('b')], zeros.length + 2],
])('a ZIP is refused and leaves nothing where %s', async (_, entries, bytes) => {
  await expect(unpack(handMadeZip(entries), bytes)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(rule(bytes)),
  })
  expect(readdirSync(folder)).toEqual([`it's.zip`])
})

test('unpacking is ended as soon as too much is written', async () => {
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  const writing = 'for ((n = 0; n < 3000; n += 1)); do printf %0100000d 0 >"$4/$n"; done; : >all-is-written'
  writeFileSync(join(programs, 'unzip'), `#!/bin/bash\n${writing}\n`, { mode: 0o755 })
  const PATH = `${programs}:${process.env.PATH}`
  await expect(unpack('', 1, { PATH })).rejects.toMatchObject({ stderr: expect.stringContaining(rule(1)) })
  expect(readdirSync(folder).sort()).toEqual([`it's.zip`, 'programs'])
})

test('what is no ZIP is refused with how unzip ended', async () => {
  await expect(unpack('no ZIP', 10)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('unzip ended with 9'),
  })
})
