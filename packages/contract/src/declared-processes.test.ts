import { expect, test } from 'vitest'
import { parseProjectFile } from './project-file.ts'

const faultsIn = (lines: readonly string[]) =>
  parseProjectFile(['apiVersion: hearth/v1', 'name: shop', ...lines].join('\n')).faults.map(
    ({ line, column, path, message }) => [line, column, path, message],
  )

test('tasks and services are read with their defaults', () => {
  expect(
    faultsIn([
      'tasks:',
      '  build: { command: make }',
      '  nightly: { command: make all, schedule: { cron: 0 3 * * *, timeZone: Europe/Berlin } }',
      'services:',
      '  web: { command: make run, dependsOn: [build], readiness: { kind: tcp, port: 3000 } }',
    ]),
  ).toEqual([])
})

test.each([
  [
    'a circle',
    ['tasks:', '  a: { command: x, dependsOn: [b] }', '  b: { command: x, dependsOn: [a] }'],
    [
      [4, 32, 'tasks.a.dependsOn.0', 'must not lead back to a: a -> b -> a'],
      [5, 32, 'tasks.b.dependsOn.0', 'must not lead back to b: b -> a -> b'],
    ],
  ],
  [
    'an unknown dependency',
    ['services:', '  web: { command: x, dependsOn: [db] }'],
    [[4, 34, 'services.web.dependsOn.0', 'must be one of the tasks and services: there is no db']],
  ],
  [
    'one name for two',
    ['tasks:', '  web: { command: x }', 'services:', '  web: { command: x }'],
    [[6, 3, 'services.web', 'must have another name: there is a task web']],
  ],
] as const)('%s is refused at its place', (_, lines, faults) => {
  expect(faultsIn(lines)).toEqual(faults)
})

test.each([
  [
    'a port over 65535',
    '  web: { command: x, readiness: { kind: tcp, port: 65536 } }',
    'services.web.readiness.port',
  ],
  ['a folder that climbs', '  web: { command: x, folder: /home/../etc }', 'services.web.folder'],
  ['an empty command', '  web: { command: " " }', 'services.web.command'],
  ['a signal that is none', '  web: { command: x, stopSignal: SIGFOO }', 'services.web.stopSignal'],
])('%s is refused at its place', (_, line, path) => {
  const [fault] = faultsIn(['services:', line])
  expect(fault?.[0]).toBe(4)
  expect(fault?.[2]).toBe(path)
})

test.each([
  ['a cron line that never comes', 'schedule: { cron: 0 0 31 2 * }', 'tasks.t.schedule.cron'],
  ['cron without a schedule', 'on: cron', 'tasks.t.on'],
])('%s is refused at its place', (_, field, path) => {
  const [fault] = faultsIn(['tasks:', `  t: { command: x, ${field} }`])
  expect(fault?.[0]).toBe(4)
  expect(fault?.[2]).toBe(path)
})
