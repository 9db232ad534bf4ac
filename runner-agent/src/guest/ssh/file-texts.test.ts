import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { buildReader, parseTexts } from './file-texts.ts'

test('texts are read unchanged; a missing, empty or too large file has no text', async () => {
  const folder = await mkdtemp(join(tmpdir(), "hearth it's read "))
  const contents = [
    'one line',
    '\n\n two: "ü 漢" \\ %s $HOME\n\n',
    '',
    'x'.repeat(64 * 1024),
    'x'.repeat(64 * 1024 + 1),
    '12\nno length\n',
  ]
  try {
    const paths = [join(folder, 'missing'), folder]
    for (const [index, content] of contents.entries()) {
      paths.push(join(folder, String(index)))
      await writeFile(join(folder, String(index)), content)
    }
    const { stdout } = await promisify(execFile)('bash', ['-c', buildReader(paths)], { encoding: 'buffer' })
    const [one, two, , largest, , last] = contents
    expect(parseTexts(stdout)).toEqual([null, null, one, two, null, largest, null, last])
    expect(parseTexts(stdout.subarray(0, -3))).toHaveLength(paths.length - 1)
  } finally {
    await rm(folder, { recursive: true })
  }
})
