import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimCreateSchema } from './claim.ts'
import { bindingLimits, bindingSteps, claimBindingSchema } from './claim-binding.ts'
import { splitVariables } from './claim-binding-input.ts'
import { faultsOf } from './faults.ts'
import { gitReferenceSchema, pullRequestOf } from './git-reference.ts'
import { guestHostNameSchema } from './host-name.ts'

const publicKey = `ssh-ed25519 ${'A'.repeat(68)}`
function faults(spec: object): string[] {
  const body = { spec: { project: 'shop', publicKey, ...spec } }
  const parsed = claimCreateSchema.safeParse(body)
  if (parsed.success) return []
  return faultsOf(claimCreateSchema, parsed.error.issues).map(
    ({ path, rule }) => `${path.join('.')}: ${rule}`,
  )
}

test('what a claim may ask for is taken, and secret variables are told from others', () => {
  const spec = {
    variables: { A: '1', TOKEN: { value: 's', secret: true }, B: { value: '2' } },
    repositories: [{ name: 'shop', ref: 'pull/12' }],
    hostname: 'review-12.internal',
    startCommand: 'make run',
    waitFor: 'address',
  }
  expect(faults(spec)).toEqual([])
  const { variables } = claimCreateSchema.parse({ spec: { project: 'shop', publicKey, ...spec } }).spec
  expect(splitVariables(variables)).toEqual({ plain: { A: '1', B: '2' }, secret: { TOKEN: 's' } })
})

test.each([
  [{ variables: { '1A': 'x' } }, 'spec.variables.1A: '],
  [{ variables: { 'A B': 'x' } }, 'spec.variables.A B: '],
  [{ variables: { UID: '0' } }, 'spec.variables.UID: '],
  [{ variables: { A: 'a\0b' } }, 'spec.variables.A: '],
  [{ variables: { A: 3 } }, 'spec.variables.A: '],
  [{ variables: { A: { value: 'x', hidden: true } } }, 'spec.variables.A'],
  [{ variables: { A: 'x'.repeat(bindingLimits.valueBytes + 1) } }, 'spec.variables.A: '],
  [
    { variables: Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`A${at}`, ''])) },
    'spec.variables: must be at most 128 variables, these are 129',
  ],
  [
    { variables: { A: 'é'.repeat(32_768), B: 'é'.repeat(32_768) } },
    'spec.variables: must have at most 131072 bytes together',
  ],
  [{ repositories: [{ name: 'shop', ref: '-b' }] }, 'spec.repositories.0.ref: must be a branch, a tag'],
  [{ repositories: [{ name: 'shop', ref: 'a\nb' }] }, 'spec.repositories.0.ref: '],
  [{ repositories: [{ name: 'shop', ref: '' }] }, 'spec.repositories.0.ref: '],
  [
    {
      repositories: [
        { name: 'shop', ref: 'a' },
        { name: 'shop', ref: 'b' },
      ],
    },
    'spec.repositories.1.name: must be named once',
  ],
  [{ hostname: '-a' }, 'spec.hostname: must be a host name'],
  [{ hostname: '10.0.0.1' }, 'spec.hostname: '],
  [{ hostname: 'localhost' }, 'spec.hostname: '],
  [{ hostname: 'a'.repeat(65) }, 'spec.hostname: '],
  [{ startCommand: '  ' }, 'spec.startCommand: '],
  [{ startCommand: 'x'.repeat(bindingLimits.startCommandBytes + 1) }, 'spec.startCommand: '],
  [{ waitFor: 'ever' }, 'spec.waitFor: must be address or bound'],
])('%j is refused with its field', (spec, expected) => {
  expect(faults(spec).join('\n')).toContain(expected)
})

test('a reference that is taken is one that git takes as a branch', () => {
  const part = fc.constantFrom(
    'a',
    'B',
    '.',
    '..',
    '/',
    '-',
    '@',
    '{',
    '~',
    ' ',
    '.lock',
    'é',
    '*',
    '\\',
    '7',
  )
  const words = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(words, (reference) => {
      if (!gitReferenceSchema.safeParse(reference).success) return
      const { status } = spawnSync('git', ['check-ref-format', `refs/heads/${reference}`])
      expect(status, reference).toBe(0)
    }),
    { numRuns: 200 },
  )
})

test('pull requests are told from branches', () => {
  expect(
    ['pull/12', 'refs/pull/3/head', 'pull/7/head', 'pull/0', 'pull/x', 'main', 'pull/12/merge'].map(
      pullRequestOf,
    ),
  ).toEqual([12, 3, 7, null, null, null, null])
})

test('a host name that is taken is one that a report may carry', () => {
  const part = fc.constantFrom('a', '7', '-', '.', 'b', 'A', '_')
  fc.assert(
    fc.property(fc.string({ unit: part, minLength: 1, maxLength: 80 }), (name) => {
      if (!guestHostNameSchema.safeParse(name).success) return
      expect(name).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
      expect(name.length).toBeLessThanOrEqual(64)
      expect(name).not.toMatch(/\.\.|^[0-9.]*$/)
    }),
    { numRuns: 1_000 },
  )
})

test('steps with nothing to do do not exist', () => {
  expect(bindingSteps(claimBindingSchema.parse({}))).toEqual([])
  const all = {
    secretNames: ['A'],
    hostname: 'b',
    startCommand: 'c',
    repositories: [
      { name: 'web', ref: 'x' },
      { name: 'api', ref: 'y' },
    ],
  }
  expect(
    bindingSteps(claimBindingSchema.parse(all)).map(({ name, repository }) => [name, repository]),
  ).toEqual([
    ['bind_variables', null],
    ['bind_hostname', null],
    ['checkout_repo', 'web'],
    ['checkout_repo', 'api'],
    ['start_command', null],
  ])
})
