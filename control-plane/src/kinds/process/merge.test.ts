import {
  type DeclaredProcesses,
  serviceDefinitionInputSchema,
  taskDefinitionInputSchema,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { mergeDeclared } from './merge.ts'

const task = (more: object = {}) => taskDefinitionInputSchema.parse({ command: 'make', ...more })
const service = (more: object = {}) => serviceDefinitionInputSchema.parse({ command: 'serve', ...more })
const of = (tasks: DeclaredProcesses['tasks'], services: DeclaredProcesses['services'] = {}) => ({
  tasks,
  services,
})

test('the project comes before the files of repositories, these in their order; what is passed over is known', () => {
  const merged = mergeDeclared(
    of({ build: task({ command: 'project' }) }),
    [
      { name: 'shop', processes: of({ build: task({ command: 'shop' }), lint: task() }) },
      { name: 'docs', processes: of({ lint: task({ command: 'docs' }) }, { build: service() }) },
    ],
    [],
  )
  const seen = merged.map(({ name, spec }) => [
    name,
    spec.kind,
    spec.command,
    spec.repository,
    spec.passedOver,
  ])
  expect(seen).toEqual([
    ['build', 'task', 'project', null, ['shop', 'docs']],
    ['lint', 'task', 'make', 'shop', ['docs']],
  ])
})

test('what a file declares runs in its repository unless it says where, and gets no secret that opens one', () => {
  const processes = of({ a: task({ secrets: ['OWN', 'GIT'] }), b: task({ folder: '/srv' }) })
  const [a, b] = mergeDeclared(undefined, [{ name: 'shop', processes }], ['GIT'])
  expect(a?.spec).toMatchObject({ folder: '/home/shop', secrets: ['OWN'], isDeclared: true })
  expect(b?.spec.folder).toBe('/srv')
})

test('a machine gets no more than it may have, and those of its project first', () => {
  const many = (prefix: string, count: number) =>
    of(Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, task()])))
  const merged = mergeDeclared(many('p', 60), [{ name: 'shop', processes: many('s', 10) }], [])
  expect(merged.map(({ name }) => name).slice(58)).toEqual(['p58', 'p59', 's0', 's1', 's2', 's3'])
})
