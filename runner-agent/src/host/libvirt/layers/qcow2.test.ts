import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headerBytes, parseQcow2Header } from './qcow2.ts'

const run = promisify(execFile)
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-qcow2-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function headerOf(...parameters: string[]) {
  const path = join(folder, 'disk.qcow2')
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...parameters, path, '5G'])
  return parseQcow2Header((await readFile(path)).subarray(0, headerBytes))
}

test('a header says how large the disk is and what is below it, however long the path', async () => {
  expect(await headerOf()).toEqual({ backingFile: null, virtualBytes: 5 * 1024 ** 3, hasDataFile: false })
  const long = `/${'folder-with-a-long-name/'.repeat(40)}disk.qcow2`
  expect(await headerOf('-u', '-b', long, '-F', 'qcow2')).toMatchObject({ backingFile: long })
})

test('a disk whose data stands in another file is known', async () => {
  const data = join(folder, 'data.raw')
  expect(await headerOf('-o', `data_file=${data}`)).toMatchObject({ hasDataFile: true })
})

test('bytes that are no header, or not the whole of one, are none', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(headerBytes), Buffer.from('QFI\u00fb')]) {
    expect(parseQcow2Header(bytes)).toBeNull()
  }
})
