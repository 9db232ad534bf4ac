import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scrubScript } from './scrub-script.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hearth-scrub-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(path: string, content = 'told in confidence'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const scrub = () => promisify(execFile)('bash', ['-c', scrubScript(root)])
const files = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort()

test('what one machine was told, is and did goes; its work stays', async () => {
  const gone = [
    '/home/.env',
    '/etc/ssh/ssh_host_ed25519_key',
    '/etc/ssh/ssh_host_ed25519_key.pub',
    '/etc/ssh/hearth/principals/root',
    '/var/lib/hearth/seed/random',
    '/var/lib/hearth/steps/project_setup-1/output',
    '/var/lib/hearth/fence',
    '/var/lib/hearth/processes/db/1/output/1000000000000000',
    '/run/hearth/processes/db/1/known',
    '/var/log/journal/0123/system.journal',
    '/tmp/.hidden/upload',
    '/var/tmp/cache with space',
    '/root/.bash_history',
    '/home/shop/.local/share/fish/fish_history',
    '/home/shop/.git-credentials',
  ]
  const kept = ['/home/shop/.git/config', '/home/shop/node_modules/left/index.js', '/etc/ssh/sshd_config']
  for (const path of [...gone, ...kept, '/etc/machine-id', '/var/log/app/today.log']) put(path)
  await scrub()
  expect(files()).toEqual([...kept, '/etc/machine-id', '/var/log/app/today.log'].sort())
  for (const path of ['/etc/machine-id', '/var/log/app/today.log'])
    expect(readFileSync(join(root, path), 'utf8')).toBe('')
  for (const path of kept) expect(readFileSync(join(root, path), 'utf8')).toBe('told in confidence')
})

test('a second time, and in a guest that has nothing of it, it does no harm', async () => {
  put('/home/shop/index.js')
  await scrub()
  await scrub()
  expect(files()).toEqual(['/home/shop/index.js'])
})

test('a link that a set-up command left leads the scrub nowhere', async () => {
  put('/home/shop/data/kept')
  mkdirSync(join(root, 'tmp'))
  symlinkSync(join(root, 'home/shop/data'), join(root, 'tmp/link'))
  await scrub()
  expect(files()).toEqual(['/home/shop/data/kept'])
})
