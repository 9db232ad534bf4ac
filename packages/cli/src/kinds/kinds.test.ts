import { expect, test } from 'vitest'
import { kindNamed, kinds } from './kinds.ts'

test.each([
  ['env', 'environment'],
  ['envs', 'environment'],
  ['org', 'organization'],
  ['orgs', 'organization'],
  ['classes', 'environment-class'],
  ['Environments', 'environment'],
  ['EnvironmentClass', 'environment-class'],
  ['warm_pool', 'warm-pool'],
  ['pools', 'warm-pool'],
])('%s is the kind %s', (given, name) => {
  expect(kindNamed(given).names[0]).toBe(name)
})

test('an unknown kind names those that are known', () => {
  expect(() => kindNamed('machine')).toThrow(
    expect.objectContaining({
      code: 'invalid',
      details: [expect.objectContaining({ expected: expect.stringContaining('environment') })],
    }),
  )
})

test('no two kinds share a name', () => {
  const names = kinds.flatMap((kind) => kind.names)
  expect(new Set(names).size).toBe(names.length)
})
