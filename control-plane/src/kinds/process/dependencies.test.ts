import { expect, test } from 'vitest'
import { dependenciesOf, withDependencies } from './dependencies.ts'

const linked = (links: Record<string, string[]>) =>
  Object.entries(links).map(([name, dependsOn]) => ({ name, dependsOn }))

test('what something depends on starts with it, and before it', () => {
  const all = linked({ test: ['build', 'db'], build: ['install'], install: [], db: [], web: ['db'] })
  expect(withDependencies(['test'], all)).toEqual(['install', 'build', 'db', 'test'])
  expect(withDependencies(['web', 'test'], all)).toEqual(['db', 'web', 'install', 'build', 'test'])
})

test('a circle and a name that is not there end', () => {
  const all = linked({ a: ['b'], b: ['a', 'gone'] })
  expect(withDependencies(['a'], all)).toEqual(['gone', 'b', 'a'])
})

test.each([
  ['succeeded', 'task', 'there'],
  ['running', 'task', 'waits'],
  ['running', 'service', 'there'],
  ['starting', 'service', 'waits'],
  ['restarting', 'service', 'waits'],
  ['failed', 'task', 'fails'],
  ['stopped', 'service', 'fails'],
  ['succeeded', 'service', 'fails'],
] as const)('a %s %s is %s', (phase, kind, standing) => {
  const build = { name: 'build', kind, phase, desired: 'run' as const }
  const seen = dependenciesOf({ kind: 'task', dependsOn: ['build'] }, [build])
  const stands = 'failure' in seen ? 'fails' : seen.waitsFor === null ? 'there' : 'waits'
  expect(stands).toBe(standing)
})

test('what depends on something that is gone, or is to stop, fails and says so', () => {
  const on = (others: Parameters<typeof dependenciesOf>[1]) =>
    dependenciesOf({ kind: 'task', dependsOn: ['build'] }, others)
  expect(on([])).toMatchObject({
    failure: { message: 'the task depends on build, which is gone: start both with `hearth start`' },
  })
  const stopping = { name: 'build', kind: 'service', phase: 'running', desired: 'stop' } as const
  expect(on([stopping])).toMatchObject({ failure: { code: 'cancelled' } })
})
