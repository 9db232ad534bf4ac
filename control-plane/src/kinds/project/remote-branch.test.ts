import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { remoteHasBranch } from './remote-branch.ts'

const folder = mkdtempSync(join(tmpdir(), 'hearth-branch-'))
let port = 0
let daemon: ReturnType<typeof spawn>

beforeAll(async () => {
  const repository = join(folder, 'shop.git')
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@hearth.example']
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', repository])
  execFileSync('git', [...identity, '-C', repository, 'commit', '--quiet', '--allow-empty', '-m', 'Begin'])
  execFileSync('git', ['-C', repository, 'tag', 'v1'])
  port = await freePort()
  const options = [
    '--export-all',
    '--reuseaddr',
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${folder}`,
  ]
  daemon = spawn('git', ['daemon', ...options, folder], {
    stdio: 'ignore',
    env: {
      ...process.env,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
  })
  const url = `git://127.0.0.1:${port}/shop.git`
  await vi.waitFor(async () => expect(await remoteHasBranch(url, 'main', null)).toBe(true), {
    timeout: 20_000,
  })
})
afterAll(() => {
  daemon.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('a branch or a tag is there or not; a server that does not answer says neither', async () => {
  const url = `git://127.0.0.1:${port}/shop.git`
  expect(await remoteHasBranch(url, 'v1', null)).toBe(true)
  expect(await remoteHasBranch(url, 'nowhere', null)).toBe(false)
  expect(await remoteHasBranch(`git://127.0.0.1:${port}/other.git`, 'main', null)).toBeNull()
  expect(await remoteHasBranch(`git://127.0.0.1:${await freePort()}/shop.git`, 'main', null)).toBeNull()
})

test('nothing of this machine is read for a URL', async () => {
  expect(await remoteHasBranch(`file://${folder}/shop.git`, 'main', null)).toBeNull()
  expect(await remoteHasBranch(join(folder, 'shop.git'), 'main', null)).toBeNull()
})

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
