import type { ProcessPhase } from '@hearth/contract'
import { expect, test } from 'vitest'
import { allowedFailures, judgePrebuildTasks } from './prebuild-tasks.decide.ts'

const due = (name: string, kind: 'task' | 'service' = 'task', secrets: string[] = []) => ({
  name,
  spec: { kind, secrets },
})
const row = (name: string, phase: ProcessPhase, kind: 'task' | 'service' = 'task', failure = {}) => ({
  name,
  kind,
  phase,
  spec: { kind },
  status: {
    failure:
      phase === 'failed'
        ? {
            code: 'command_failed' as const,
            message: 'it ended with exit code 3',
            lastLines: ['no'],
            ...failure,
          }
        : null,
  },
})
const seed = [due('db', 'service'), due('seed')]

test.each([
  ['nothing is due', [], [], { state: 'done' }],
  ['they are not there', seed, [], { state: 'unbegun' }],
  ['one is not there', seed, [row('db', 'running', 'service')], { state: 'unbegun' }],
  [
    'a task waits',
    seed,
    [row('db', 'starting', 'service'), row('seed', 'pending')],
    { state: 'working', name: 'seed' },
  ],
  [
    'a task is done and its service runs',
    seed,
    [row('db', 'running', 'service'), row('seed', 'succeeded')],
    { state: 'serving', name: 'db' },
  ],
  [
    'the service is on its way down',
    seed,
    [row('db', 'stopping', 'service'), row('seed', 'succeeded')],
    { state: 'serving', name: 'db' },
  ],
  ['all is over', seed, [row('db', 'stopped', 'service'), row('seed', 'succeeded')], { state: 'done' }],
  [
    'a service crashed once its task was done',
    seed,
    [row('db', 'failed', 'service'), row('seed', 'succeeded')],
    { state: 'done' },
  ],
] as const)('where %s', (_, wanted, rows, expected) => {
  expect(judgePrebuildTasks(wanted, rows)).toEqual(expected)
})

test('a task that fails is named with its cause and last lines, and one that fails for another by that other', () => {
  expect(judgePrebuildTasks([due('seed')], [row('seed', 'failed')])).toEqual({
    state: 'failed',
    failure: {
      code: 'command_failed',
      message: 'task seed, which is part of the prebuild: it ended with exit code 3',
      lastLines: ['no'],
    },
  })
  const rows = [
    row('db', 'failed', 'service'),
    row('seed', 'failed', 'task', { code: 'cancelled', message: 'it depends on db' }),
  ]
  expect(judgePrebuildTasks(seed, rows)).toMatchObject({
    failure: { message: expect.stringContaining('service db, which') },
  })
  expect(judgePrebuildTasks([due('seed')], [row('seed', 'stopped')])).toMatchObject({
    failure: { code: 'cancelled', message: 'task seed, which is part of the prebuild: the task is stopped' },
  })
})

test('what a file makes depend on a service that names secrets fails before it is begun', () => {
  expect(judgePrebuildTasks([due('db', 'service', ['PASSWORD']), due('seed')], [])).toMatchObject({
    failure: {
      message: 'service db names the secrets PASSWORD: it runs while a prebuild is made, which is told none',
    },
  })
})

test('a task that allows failure fails no prebuild, is told of, and is waited for all the same', () => {
  const allowing = { spec: { kind: 'task' as const, allowFailure: true } }
  const lint = { ...row('lint', 'failed'), ...allowing }
  expect(judgePrebuildTasks([due('lint')], [lint])).toEqual({ state: 'done' })
  expect(allowedFailures([lint, row('seed', 'failed')])).toEqual([
    'task lint, which is part of the prebuild: it ended with exit code 3 (it allows failure)',
  ])
  const running = { ...row('lint', 'running'), ...allowing }
  expect(judgePrebuildTasks([due('lint')], [running])).toEqual({ state: 'working', name: 'lint' })
  expect(judgePrebuildTasks([due('lint'), due('seed')], [lint, row('seed', 'failed')])).toMatchObject({
    failure: { message: expect.stringContaining('task seed') },
  })
})
