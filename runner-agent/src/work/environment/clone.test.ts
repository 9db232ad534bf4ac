import { spawnSync } from 'node:child_process'
import type { Repository } from '@hearth/contract'
import { expect, test } from 'vitest'
import {
  cloneCommand,
  credentialFiles,
  environmentSecretNames,
  passwordOf,
  withoutCredentials,
} from './clone.ts'

const repository: Repository = {
  url: 'https://user:p4ssw0rd@example.org/shop.git',
  name: 'shop',
  branch: "it's",
  setup: [],
}

test('a clone names the repository without its password and quotes what it is given', () => {
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

test('a token is told to git alone, by a file that goes when the clone is over', () => {
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
