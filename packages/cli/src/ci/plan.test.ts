import {
  type DeclaredProcesses,
  serviceDefinitionInputSchema,
  taskDefinitionInputSchema,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { planTasks } from './plan.ts'

const task = (change: object = {}) => taskDefinitionInputSchema.parse({ command: 'make', ...change })
const service = (change: object = {}) =>
  serviceDefinitionInputSchema.parse({ command: 'make run', ...change })
const declared = (tasks: DeclaredProcesses['tasks'], services: DeclaredProcesses['services'] = {}) => ({
  tasks,
  services,
})
const folders = { commit: '/home/shop', usual: '/home/shop' }
const names = (wanted: string[], file: DeclaredProcesses, there: DeclaredProcesses) =>
  planTasks(wanted, file, there, folders).all.map(({ inMachine, isMade }) =>
    isMade ? `+${inMachine}` : inMachine,
  )

const file = declared(
  {
    test: task({ dependsOn: ['build', 'db'] }),
    build: task(),
    lint: task(),
    nightly: task({ schedule: { cron: '0 3 * * *' } }),
  },
  { db: service() },
)

test('what the machine was made with is used, after what it depends on', () => {
  expect(names(['test'], file, file)).toEqual(['build', 'db', 'test'])
})

test('without names it is all on which no other depends, and which no schedule runs', () => {
  expect(planTasks([], file, file, folders).wanted).toEqual(['test', 'lint'])
})

test('what differs, and what depends on it, is made beside it; what is new has its own name', () => {
  const changed = declared({ ...file.tasks, build: task({ command: 'make all' }) }, file.services)
  expect(names(['test', 'lint'], changed, file)).toEqual(['+ci-build', 'db', '+ci-test', 'lint'])
  expect(names(['test'], file, declared({}))).toEqual(['+build', '+db', '+test'])
  const plan = planTasks(['test'], changed, file, folders)
  expect(plan.all.at(-1)?.definition.dependsOn).toEqual(['ci-build', 'db'])
})

test('a task that is not there is refused by name', () => {
  expect(() => planTasks(['deploy'], file, file, folders)).toThrow(
    'the project file has no task deploy: there are test, build',
  )
  expect(() => planTasks([], declared({}), file, folders)).toThrow('the project file has no task to run')
})

test('where the commit is not in the usual folder, what names none is made to run there', () => {
  const there = declared({ lint: task(), fixed: task({ folder: '/srv' }) })
  const { all } = planTasks(['lint', 'fixed'], there, there, { commit: '/home/other', usual: '/home' })
  expect(all.map(({ inMachine, definition }) => [inMachine, definition.folder])).toEqual([
    ['ci-lint', '/home/other'],
    ['fixed', '/srv'],
  ])
})
