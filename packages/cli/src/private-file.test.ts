import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writePrivateFile } from './private-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-private-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('only the owner can read it, also when it replaces a file that all could', () => {
  const path = join(folder, 'context.json')
  writeFileSync(path, 'old', { mode: 0o644 })
  writePrivateFile(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['context.json'])
})
