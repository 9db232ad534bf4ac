import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { privateFileScript } from './private-file-script.ts'
import { type GuestPaths, guestPaths, staleExitCode } from './step-script.ts'

const origin = { runnerId: 'runner', epoch: 2, generation: 3 }
let root: string
let paths: GuestPaths
let file: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hearth-private-file-'))
  const below = (name: string) => join(root, name)
  paths = { ...guestPaths, ledger: below('ledger'), state: below('state'), fence: below('fence') }
  file = join(root, 'run/git/shop.token')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(content: string, stepKey: string | null, given: { bytes?: number; epoch?: number } = {}) {
  const bytes = given.bytes ?? Buffer.byteLength(content)
  const by = { ...origin, epoch: given.epoch ?? origin.epoch }
  const shell = spawn('bash', ['-c', privateFileScript({ path: file, bytes, stepKey }, by, paths)])
  shell.stdin.on('error', () => undefined)
  shell.stdin.end(content)
  return new Promise((resolve) => shell.on('close', resolve))
}

const found = () => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function put(path: string, content = ''): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
}

test('a file is written whole, for nobody else to read, or not at all', async () => {
  expect(await write('s3cret', null)).toBe(0)
  expect(found()).toBe('s3cret')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await write('cut', null, { bytes: 9 })).not.toBe(0)
  expect(found()).toBe('s3cret')
  expect(await write('older', null, { epoch: 1 })).toBe(staleExitCode)
  expect(found()).toBe('s3cret')
})

test('a file that a step removes is not written again once the step has begun', async () => {
  expect(await write('s3cret', 'clone_repo.shop-3')).toBe(0)
  expect(found()).toBe('s3cret')
  rmSync(file)
  put(join(paths.state, 'clone_repo.shop-3/run'))
  expect(await write('s3cret', 'clone_repo.shop-3')).toBe(0)
  expect(found()).toBeNull()
  // The same after a restart of the guest, which leaves the ledger alone.
  rmSync(paths.state, { recursive: true })
  put(join(paths.ledger, 'clone_repo.shop-3/outcome'))
  expect(await write('s3cret', 'clone_repo.shop-3')).toBe(0)
  expect(found()).toBeNull()
  expect(await write('s3cret', 'clone_repo.other-3')).toBe(0)
  expect(found()).toBe('s3cret')
})
