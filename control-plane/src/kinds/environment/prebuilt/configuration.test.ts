import type { ProjectSpec } from '@hearth/contract'
import { expect, test } from 'vitest'
import { buildPlan } from '../lifecycle/plan.ts'
import { prebuiltConfigurationOf, projectToBuild } from './configuration.ts'

const size = {
  image: 'debian-12',
  virtualCpus: 1,
  memoryMebibytes: 512,
  diskGibibytes: 4,
  region: null,
  runnerSelector: {},
}
const project: ProjectSpec = {
  repositories: [
    { url: 'https://git.example/shop.git', name: 'shop', branch: 'main', token: 'GIT', setup: [] },
  ],
  variables: { STAGE: 'dev' },
  secretNames: ['GIT', 'PASSWORD'],
  setup: [{ name: 'make', command: 'make' }],
  onHostLoss: 'wait',
  onCrash: 'restart',
  life: {},
  environmentClasses: [],
  tasks: {},
  services: {},
  prebuilds: null,
  snapshots: { keep: 10, days: 14 },
}
const of = (change: Partial<ProjectSpec>, sizeChange: Partial<typeof size> = {}) =>
  prebuiltConfigurationOf(buildPlan({ ...project, ...change }, { ...size, ...sizeChange }, null))

test('a prebuild fits machines with another branch, other variables, secrets and pool set-up', () => {
  const [shop] = project.repositories
  if (shop === undefined) throw new Error('the project has a repository')
  expect(of({ repositories: [{ ...shop, branch: 'next' }], variables: {}, secretNames: [] })).toBe(of({}))
  const withSetup = buildPlan(project, size, { setup: [{ name: 'warm', command: 'make warm' }], branch: 'x' })
  expect(prebuiltConfigurationOf(withSetup)).toBe(of({}))
})

test('a prebuild fits none with other repositories, set-up, image or size', () => {
  const others = [
    of({ repositories: [] }),
    of({ setup: [] }),
    of({}, { image: 'debian-13' }),
    of({}, { virtualCpus: 2 }),
    of({}, { memoryMebibytes: 1_024 }),
    of({}, { diskGibibytes: 8 }),
  ]
  expect(new Set([...others, of({})]).size).toBe(others.length + 1)
})

test('the machine of a prebuild is told no secret but those that open a repository', () => {
  expect(projectToBuild(project).secretNames).toEqual(['GIT'])
  expect(projectToBuild({ ...project, repositories: [] }).secretNames).toEqual([])
})
