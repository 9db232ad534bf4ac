import { expect, test } from 'vitest'
import { packGuestFiles, unpackGuestFiles } from './guest-files.ts'

const files = { 'guest-home-.env': "A='ü'\n", 'fence.json': '{}' }

test('files come out of a disk as they went in, also when it was flattened over another one', () => {
  const disk = packGuestFiles(files, 4_096)
  expect(disk).toHaveLength(4_096)
  expect(unpackGuestFiles(disk)).toEqual(files)
  expect(unpackGuestFiles(Buffer.concat([packGuestFiles({}, 100), disk]))).toEqual(files)
  expect(unpackGuestFiles(packGuestFiles(files, 0))).toEqual(files)
})

test('a disk that was not made so has no files', () => {
  for (const content of ['', 'short', 'x'.repeat(100), `${'{'.repeat(10)}0000000a`]) {
    expect(unpackGuestFiles(Buffer.from(content))).toEqual({})
  }
})
