import { type ProvisioningPlan, planSteps, type StepStatus } from '@hearth/contract'
import { expect, test } from 'vitest'
import { heldSteps, stepDigests } from './held-steps.ts'

const command = (command: string) => ({ name: command, command })
const plan: ProvisioningPlan = {
  image: 'debian-12',
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 4,
  repositories: [{ url: 'https://git.example/shop', name: 'shop', branch: null, setup: [command('npm ci')] }],
  variables: {},
  secretNames: [],
  projectSetup: [command('apt-get install git')],
  warmPoolSetup: [],
}
const steps = planSteps(plan).map(
  (step): StepStatus => ({
    ...step,
    phase: 'succeeded',
    startedAt: null,
    finishedAt: null,
    durationMilliseconds: null,
    exitCode: 0,
    output: '',
    outputBytes: 0,
    error: null,
  }),
)

test('a snapshot holds what was done, but not what makes the machine itself', () => {
  expect(heldSteps(plan, stepDigests(plan, steps))).toEqual([
    'set_env_vars',
    'clone_repo.shop',
    'init_repo.shop',
    'project_setup',
    'repo_setup.shop',
    'warm_pool_setup',
  ])
  const undone = steps.map((step) =>
    step.name === 'repo_setup' ? { ...step, phase: 'failed' as const } : step,
  )
  expect(heldSteps(plan, stepDigests(plan, undone))).not.toContain('repo_setup.shop')
})

test('a step whose commands have changed since is done again, also on a machine of another size', () => {
  const held = stepDigests(plan, steps)
  const changed = { ...plan, memoryMebibytes: 1_024, projectSetup: [command('apt-get install curl')] }
  expect(heldSteps(changed, held)).not.toContain('project_setup')
  expect(heldSteps(changed, held)).toContain('repo_setup.shop')
})
