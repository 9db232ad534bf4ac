import { expect, test } from 'vitest'
import { readRepository } from './repository-hooks.ts'
import {
  mostRepositoryProcessBytes,
  type ProcessBounds,
  reportedProcessesSchema,
  unbound,
} from './repository-processes.ts'

const read = (text: string, bounds: Partial<ProcessBounds> = {}) =>
  readRepository(
    { hearth: `apiVersion: hearth/v1\n${text}`, script: null, capy: null },
    { ...unbound, ...bounds },
  )

test('a file declares tasks and services, beside hooks or without, and whichever hooks are followed', () => {
  const text = 'tasks:\n  build: {command: make}\nservices:\n  web: {command: serve, dependsOn: [build]}\n'
  expect(read(text).processes).toMatchObject({
    tasks: { build: { command: 'make', on: 'manual', restart: { policy: 'never' } } },
    services: { web: { command: 'serve', on: 'claim', dependsOn: ['build'] } },
  })
  const beside = readRepository({ hearth: `apiVersion: hearth/v1\n${text}`, script: '#!', capy: null })
  expect(beside.hooks).toEqual({ kind: 'script' })
  expect(Object.keys(beside.processes.tasks)).toEqual(['build'])
  const another = readRepository({ hearth: text, script: null, capy: null })
  expect(another).toEqual({ hooks: { kind: 'none' }, processes: { tasks: {}, services: {} } })
})

/** Lines and columns count the `apiVersion` that each text is put after. */
test.each([
  [
    'a bad cron line',
    'tasks:\n  a:\n    command: x\n    schedule: {cron: "99 * * * *"}\n',
    'line 5, column 16: tasks.a.schedule.cron',
  ],
  [
    'a port over 65535',
    'services:\n  a:\n    command: x\n    readiness:\n      kind: tcp\n      port: 65536\n',
    'line 7, column 7: services.a.readiness.port: must be between 1 and 65535',
  ],
  [
    'an unknown dependency',
    'tasks:\n  a:\n    command: x\n    dependsOn: [b]\n',
    'line 5, column 17: tasks.a.dependsOn.0: must be one of the tasks and services: there is no b',
  ],
  [
    'a circle',
    'tasks:\n  a: {command: x, dependsOn: [b]}\n  b: {command: x, dependsOn: [a]}\n',
    'line 3, column 31: tasks.a.dependsOn.0: must not lead back to a: a -> b -> a',
  ],
  [
    'one name for two',
    'tasks: {a: {command: x}}\nservices: {a: {command: x}}\n',
    'line 3, column 12: services.a: must have another name',
  ],
  ['a name that is none', 'tasks: {A_B: {command: x}}\n', 'line 2, column 9: tasks.A_B'],
  [
    'an unknown field',
    'tasks:\n  a: {command: x, comand: y}\n',
    'line 3, column 19: tasks.a.comand: there is no such field',
  ],
  ['no command', 'tasks:\n  a: {}\n', 'line 3, column 3: tasks.a.command'],
  ['a list', 'tasks: [a]\n', 'line 2, column 1: tasks: must be an object'],
  [
    '65 of them',
    `tasks:\n${Array.from({ length: 65 }, (_, n) => `  t${n}: {command: x}\n`).join('')}`,
    'line 2, column 1: tasks: must be at most 64 tasks and services together, these are 65',
  ],
  ['no YAML', 'tasks:\n  a: {command: "x\n', 'line'],
])('%s is a fault of the file at its place', (_, text, said) => {
  const { hooks, processes } = read(text)
  expect(hooks).toMatchObject({ kind: 'fault', file: 'hearth.yaml' })
  expect(hooks.kind === 'fault' && hooks.message).toContain(said)
  expect(processes).toEqual({ tasks: {}, services: {} })
})

test('what the machine has no room for, or git alone is given, is a fault of the file', () => {
  const taken = new Set(Array.from({ length: 63 }, (_, n) => `p${n}`))
  const two = 'tasks: {p0: {command: x}, a: {command: x}}\n'
  expect(read(two, { taken }).hooks).toEqual({ kind: 'none' })
  const full = read(`${two}services: {b: {command: x}}\n`, { taken })
  expect(full.hooks).toMatchObject({
    message: expect.stringContaining('line 2, column 1: tasks: must be at most 64'),
  })
  expect(full.hooks).toMatchObject({ message: expect.stringContaining('these are 65') })
  const large = read(two, { takenBytes: mostRepositoryProcessBytes })
  expect(large.hooks).toMatchObject({
    message: expect.stringContaining(`at most ${mostRepositoryProcessBytes} bytes`),
  })
  const secret = read('tasks:\n  a: {command: x, secrets: [OWN, GIT]}\n', { credentials: new Set(['GIT']) })
  expect(secret.hooks).toMatchObject({
    message:
      'line 3, column 34: tasks.a.secrets.1: must not be GIT: it opens a repository, and git alone is given it',
  })
})

test('a runner’s report of them is taken in as it was read, and refused where it does not fit', () => {
  const { processes } = read(
    'tasks: {a: {command: x, schedule: {cron: 0 3 * * *}}}\nservices: {b: {command: y}}\n',
  )
  expect(reportedProcessesSchema.parse(JSON.parse(JSON.stringify({ shop: processes })))).toEqual({
    shop: processes,
  })
  const newer = JSON.parse(JSON.stringify({ shop: processes }))
  newer.shop.tasks.a.ofANewerAgent = true
  expect(reportedProcessesSchema.parse(newer)).toEqual({ shop: processes })
  const [a] = Object.values(processes.tasks)
  const withTasks = (tasks: object) => ({ tasks, services: {} })
  const refused = [
    { '../etc': processes },
    { shop: withTasks({ a: { ...a, command: '' } }) },
    { shop: withTasks({ A_B: a }) },
    { shop: withTasks({ a: { ...a, dependsOn: ['b'] } }) },
    {
      shop: withTasks({ a: { ...a, command: 'x'.repeat(60_000) } }),
      home: withTasks({ a: { ...a, command: 'x'.repeat(60_000) }, b: { ...a, command: 'x'.repeat(60_000) } }),
    },
  ]
  for (const one of refused) expect(reportedProcessesSchema.safeParse(one).success).toBe(false)
})
