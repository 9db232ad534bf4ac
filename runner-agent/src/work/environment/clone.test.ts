import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Repository } from '@hearth/contract'
import { expect, onTestFinished, test } from 'vitest'
import {
  cloneCommand,
  credentialFiles,
  environmentSecretNames,
  headCheck,
  passwordOf,
  withoutCredentials,
} from './clone.ts'

const repository: Repository = {
  url: 'https://user:p4ssw0rd@example.org/shop.git',
  name: 'shop',
  branch: "it's",
  setup: [],
}

test('a clone names the repository without its password and quotes its arguments', () => {
  expect(cloneCommand(repository)).toEqual({
    name: 'git clone https://example.org/shop.git',
    command: "git clone --branch 'it'\\''s' -- 'https://user:p4ssw0rd@example.org/shop.git' '/home/shop'",
    timeoutSeconds: null,
  })
})

test('a URL’s password is found and hidden; a mere user name stays', () => {
  expect(passwordOf('https://user:p4ss@host/x')).toEqual(['p4ss'])
  expect(passwordOf('ssh://git@host/x')).toEqual([])
  expect(withoutCredentials('ssh://git@host/x')).toBe('ssh://git@host/x')
  expect(withoutCredentials('git@host:x.git')).toBe('git@host:x.git')
})

test('only git gets the token, by a file that is removed after the clone', () => {
  const opened = { ...repository, url: 'https://example.org/shop.git', branch: null, token: 'GIT_TOKEN' }
  expect(credentialFiles(opened, { GIT_TOKEN: 's3cr3t' })).toEqual([
    { path: '/run/hearth/git/shop.token', content: 's3cr3t' },
  ])
  const { command } = cloneCommand(opened)
  expect(command).not.toContain('s3cr3t')
  expect(command).toContain('rm -f --')
  expect(spawnSync('bash', ['-n'], { input: command }).status).toBe(0)
})

test('a deploy key is used with the pinned host keys, or with the first one seen', () => {
  const opened = { ...repository, url: 'git@example.org:shop.git', branch: null, deployKey: 'KEY' }
  expect(credentialFiles(opened, { KEY: 'line\n\n' })).toEqual([
    { path: '/run/hearth/git/shop.key', content: 'line\n' },
  ])
  expect(cloneCommand(opened).command).toContain('StrictHostKeyChecking=accept-new')
  const pinned = cloneCommand({ ...opened, knownHosts: 'example.org ssh-ed25519 AAAA' }).command
  expect(pinned).toContain('StrictHostKeyChecking=yes')
  expect(spawnSync('bash', ['-n'], { input: pinned }).status).toBe(0)
  expect(environmentSecretNames({ secretNames: ['KEY', 'OTHER'], repositories: [opened] })).toEqual(['OTHER'])
})

/** Repositories by what their HEAD refers to; git clones and checks each. */
const heads: [what: string, branches: string[], head: string, status: number, says: string][] = [
  ['a branch that is there', ['main'], 'main', 0, ''],
  ['a branch that is not there', ['trunk', 'it’s/next'], 'main', 1, '  it’s/next\n  trunk\n'],
  ['no branch, for there is none', [], 'main', 0, ''],
  [
    'one of more branches than are listed',
    letters(30),
    'main',
    1,
    'its branch is main, which it does not have',
  ],
]
test.each(heads)('a clone of a repository whose HEAD names %s', (_, branches, head, status, says) => {
  const folder = mkdtempSync(join(tmpdir(), "hearth it's cloned "))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const script = [
    'set -e; cd -- "$1"; shift; git init -q --initial-branch=first origin; cd origin',
    'git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first',
    'for branch; do git branch -- "$branch"; done; git checkout -q --detach; git branch -q -D first',
    `git symbolic-ref HEAD refs/heads/${head}; cd ..; git clone -q -- origin clone`,
  ].join('\n')
  const made = spawnSync('bash', ['-c', script, 'bash', folder, ...branches], { encoding: 'utf8' })
  expect(made.status, made.stderr).toBe(0)
  const checked = spawnSync('bash', ['-c', `true\n${headCheck(join(folder, 'clone'))}`], { encoding: 'utf8' })
  expect(checked.stderr).toContain(says)
  expect(checked.stderr.match(/^ {2}/gm)?.length ?? 0).toBeLessThanOrEqual(20)
  expect(checked.status).toBe(status)
})

function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `branch-${index}`)
}
