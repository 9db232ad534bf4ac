import { expect, test } from 'vitest'
import { commandInputSchema, planSteps, repositoryInputSchema } from './provisioning-plan.ts'
import { summarize } from './provisioning-step.ts'

test('a branch that git would take for an option, or could not hold, is refused', () => {
  for (const branch of ['--upload-pack=x', 'a b', 'a..b~1', 'x:y']) {
    expect(repositoryInputSchema.safeParse({ url: 'https://git.example/a', branch }).success).toBe(false)
  }
})

test('a bare command is named by its first line', () => {
  expect(commandInputSchema.parse('make deps\nmake test')).toEqual({
    name: 'make deps',
    command: 'make deps\nmake test',
  })
  expect(commandInputSchema.safeParse('   ').success).toBe(false)
})

test('the steps are in order, those of a repository once for each', () => {
  const repository = (name: string) => ({ url: 'https://git.example/x', name, branch: null, setup: [] })
  const plan = {
    image: 'debian-12',
    virtualCpus: 1,
    memoryMebibytes: 512,
    diskGibibytes: 2,
    repositories: [repository('a'), repository('b')],
    variables: {},
    secretNames: [],
    projectSetup: [],
    warmPoolSetup: [],
  }
  const steps = planSteps(plan).map(({ name, repository: of }) => (of === null ? name : `${name}.${of}`))
  expect(steps.join(' ')).toBe(
    'create_vm ensure_server set_env_vars clone_repo.a clone_repo.b init_repo.a init_repo.b project_setup repo_setup.a repo_setup.b warm_pool_setup',
  )
})

test('the summary is undecided while steps run, and names the first failure', () => {
  const step = (name: 'create_vm' | 'clone_repo', phase: 'running' | 'succeeded' | 'failed' | 'skipped') => ({
    name,
    repository: null,
    phase,
    startedAt: null,
    finishedAt: null,
    durationMilliseconds: null,
    exitCode: null,
    output: '',
    outputBytes: 0,
    error: phase === 'failed' ? 'no such repository' : null,
  })
  expect(summarize([], null).success).toBeNull()
  expect(summarize([step('create_vm', 'succeeded'), step('clone_repo', 'running')], null).success).toBeNull()
  expect(summarize([step('create_vm', 'succeeded'), step('clone_repo', 'skipped')], null).success).toBe(true)
  expect(summarize([step('create_vm', 'succeeded'), step('clone_repo', 'failed')], null)).toEqual({
    success: false,
    failedStep: 'clone_repo',
    error: 'no such repository',
  })
  const unplaced = { message: 'no runner has room' }
  expect(summarize([], unplaced)).toEqual({
    success: false,
    failedStep: 'create_vm',
    error: 'no runner has room',
  })
  const printed = { message: 'git clone exited with 128', lastLines: ['fatal: no such branch'] }
  expect(summarize([step('clone_repo', 'failed')], printed).error).toBe(
    'no such repository\nfatal: no such branch',
  )
})
