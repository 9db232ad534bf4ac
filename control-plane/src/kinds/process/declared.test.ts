import {
  type DeclaredProcesses,
  serviceDefinitionInputSchema,
  taskDefinitionInputSchema,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { dueAt, heldTasks, type Moment } from './declared.ts'
import { mergeDeclared } from './merge.ts'
import { digestOf } from './ran-tasks.ts'

const task = (more: object = {}) => taskDefinitionInputSchema.parse({ command: 'make', ...more })
const service = (more: object = {}) => serviceDefinitionInputSchema.parse({ command: 'serve', ...more })
const declared: DeclaredProcesses = {
  tasks: {
    seed: task({ on: 'prebuild', dependsOn: ['db'] }),
    lint: task(),
    warm: task({ on: 'start', dependsOn: ['seed'] }),
  },
  services: { db: service({ on: 'manual' }), web: service({ dependsOn: ['seed'] }) },
}
const all = mergeDeclared(declared, [], [])
const seedDigest = all.flatMap(({ name, spec }) => (name === 'seed' ? [digestOf(spec)] : []))[0] ?? ''
const started = { source: { ranTasks: { seed: seedDigest } }, status: { startedFrom: { from: 'disk' } } }
const environment = (change: object = {}) =>
  ({ ...started, ...change }) as unknown as Parameters<typeof heldTasks>[1]
const due = (moment: Moment, held: ReadonlySet<string> = new Set()) =>
  Object.fromEntries(dueAt(all, moment, held).map(({ name, begins }) => [name, begins]))

test('a prebuild runs its tasks with what they need, and nothing else', () => {
  expect(due('prebuild')).toEqual({ seed: 'started', db: 'started' })
})

test('a machine that started from no prebuild runs them at its start, and its other ones with them', () => {
  expect(due('start')).toEqual({ seed: 'started', db: 'started', warm: 'started' })
  expect(due('claim')).toEqual({
    seed: 'started',
    db: 'started',
    warm: 'started',
    web: 'started',
    lint: 'left',
  })
})

test('one that started from a prebuild has them done: they need nothing any more, and are met for others', () => {
  const held = heldTasks(all, environment())
  expect([...held]).toEqual(['seed'])
  expect(due('start', held)).toEqual({ seed: 'held', warm: 'started' })
  expect(due('claim', held)).toEqual({
    seed: 'held',
    warm: 'started',
    web: 'started',
    lint: 'left',
    db: 'left',
  })
})

test('a task that does something else now, and a machine that took the image, have them not', () => {
  const other = environment({ source: { ranTasks: { seed: 'another' } } })
  const image = environment({ status: { startedFrom: { from: 'image' } } })
  for (const one of [other, image, environment({ source: null })]) expect(heldTasks(all, one).size).toBe(0)
})
