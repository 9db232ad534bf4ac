import type { ProvisioningPlan } from '@hearth/contract'
import { expect, test } from 'vitest'
import { guestStep, passwordOf, stepLimitSeconds, withoutCredentials } from './guest-steps.ts'

const plan: ProvisioningPlan = {
  image: 'debian-12',
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 1,
  repositories: [
    {
      url: 'https://user:p4ssw0rd@example.org/shop.git',
      name: 'shop',
      branch: "it's",
      setup: [{ name: 'install', command: 'npm ci', timeoutSeconds: 5 }],
    },
  ],
  variables: {},
  secretNames: [],
  projectSetup: [{ name: 'one', command: 'true' }],
  warmPoolSetup: [],
}

test('a clone names the repository without its password and quotes what it is given', () => {
  const step = guestStep(plan, { name: 'clone_repo', repository: 'shop' }, 3, {})
  expect(step.key).toBe('clone_repo.shop-3')
  expect(step.commands).toEqual([
    {
      name: 'git clone https://example.org/shop.git',
      command: "git clone --branch 'it'\\''s' -- 'https://user:p4ssw0rd@example.org/shop.git' '/home/shop'",
      timeoutSeconds: null,
    },
  ])
})

test('project commands run in /home, a repository’s in its own folder', () => {
  expect(guestStep(plan, { name: 'project_setup', repository: null }, 1, {}).folder).toBe('/home')
  expect(guestStep(plan, { name: 'repo_setup', repository: 'shop' }, 1, {})).toMatchObject({
    folder: '/home/shop',
    commands: [{ name: 'install', command: 'npm ci', timeoutSeconds: 5 }],
  })
  expect(guestStep(plan, { name: 'init_repo', repository: 'shop' }, 1, {}).onlyWithExecutable).toBe(
    '.hearth/init',
  )
})

test('a step may take its deadline, or as long as its commands ask for', () => {
  expect(stepLimitSeconds('project_setup', [{ timeoutSeconds: null }], {})).toBe(3_600)
  expect(stepLimitSeconds('project_setup', [{ timeoutSeconds: 4_000 }, { timeoutSeconds: 1_000 }], {})).toBe(
    5_000,
  )
  expect(stepLimitSeconds('project_setup', [], { project_setup: 2 })).toBe(2)
})

test('a URL’s password is found and hidden; a mere user name stays', () => {
  expect(passwordOf('https://user:p4ss@host/x')).toEqual(['p4ss'])
  expect(passwordOf('ssh://git@host/x')).toEqual([])
  expect(withoutCredentials('ssh://git@host/x')).toBe('ssh://git@host/x')
  expect(withoutCredentials('git@host:x.git')).toBe('git@host:x.git')
})
