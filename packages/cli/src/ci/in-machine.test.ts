import { type Task, taskDefinitionInputSchema, taskDefinitionSchema } from '@hearth/contract'
import { expect, test } from 'vitest'
import { withDeclaredByFiles } from './in-machine.ts'
import { planTasks } from './plan.ts'

const define = (more: object) => taskDefinitionInputSchema.parse({ command: 'make', ...more })
const there = (name: string, repository: string | null, more: object) =>
  ({ metadata: { name }, spec: { ...define(more), isDeclared: true, repository } }) as unknown as Task

test('what a file of a repository has declared in the machine is used as it is, and not made a second time', () => {
  const tasks = [
    there('lint', 'shop', { folder: '/home/shop' }),
    there('docs', 'docs', { folder: '/home/docs' }),
    there('build', null, {}),
  ]
  const build = taskDefinitionSchema.parse(define({ command: 'make build' }))
  const inMachine = withDeclaredByFiles(
    { tasks: { build }, services: {} },
    { tasks, services: [] },
    '/home/shop',
  )
  expect(inMachine.tasks).toEqual({ build, lint: define({}), docs: define({ folder: '/home/docs' }) })
  const file = { tasks: { lint: define({}), docs: define({}) }, services: {} }
  const { all } = planTasks([], file, inMachine, { commit: '/home/shop', usual: '/home/shop' })
  expect(all.map(({ inMachine: name, isMade }) => [name, isMade])).toEqual([
    ['lint', false],
    ['ci-docs', true],
  ])
})
