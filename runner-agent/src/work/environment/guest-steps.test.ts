import { samplePlan } from '@hearth/testing'
import { expect, test } from 'vitest'
import { guestStep, stepLimitSeconds } from './guest-steps.ts'

const plan = samplePlan({
  repositories: [
    {
      url: 'https://user:p4ssw0rd@example.org/shop.git',
      name: 'shop',
      branch: "it's",
      setup: [{ name: 'install', command: 'npm ci', timeoutSeconds: 5 }],
    },
  ],
  projectSetup: [{ name: 'one', command: 'true' }],
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

test('the deadline of a step is the default, or the sum of those of its commands', () => {
  expect(stepLimitSeconds('project_setup', [{ timeoutSeconds: null }], {})).toBe(3_600)
  expect(stepLimitSeconds('project_setup', [{ timeoutSeconds: 4_000 }, { timeoutSeconds: 1_000 }], {})).toBe(
    5_000,
  )
  expect(stepLimitSeconds('project_setup', [], { project_setup: 2 })).toBe(2)
})

test('the hooks that a repository names are its init step; invalid ones fail the step with an explanation', () => {
  const init = { name: 'init_repo', repository: 'shop' } as const
  const commands = [{ name: 'make', command: 'make' }]
  expect(
    guestStep(plan, init, 1, {}, { hooks: { kind: 'commands', file: 'hearth.yaml', commands } }),
  ).toMatchObject({
    folder: '/home/shop',
    commands: [{ name: 'make', command: 'make', timeoutSeconds: null }],
    onlyWithExecutable: null,
  })
  const fault = guestStep(
    plan,
    init,
    1,
    {},
    { hooks: { kind: 'fault', file: 'hearth.yaml', message: 'it’s wrong' } },
  )
  expect(fault.commands[0]?.command).toContain('hearth.yaml does not fit: it’s wrong')
})
