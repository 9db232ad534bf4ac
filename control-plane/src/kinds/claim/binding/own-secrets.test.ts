import { bindingLimits } from '@hearth/contract'
import { expect, test } from 'vitest'
import { withOwnSecrets } from './own-secrets.ts'

const variable = (name: string, value = 'mine') => ({ variable: name, gitHost: null, value })
const password = (gitHost: string) => ({ variable: null, gitHost, value: 'a-token' })
const binding = {
  variables: { MODE: 'test' },
  secretNames: ['TOKEN'],
  repositories: [],
  hostname: null,
  startCommand: null,
  waitFor: 'address' as const,
}

test('without any of one’s own a claim asks for what it says', () => {
  expect(withOwnSecrets(null, [])).toBeNull()
})

test('one’s own are added as secrets, and what the claim says itself counts', () => {
  const wanted = { binding, secrets: { TOKEN: 'the claim’s' } }
  const own = [variable('TOKEN'), variable('MODE'), variable('KEY')]
  expect(withOwnSecrets(wanted, own)).toEqual({
    binding: { ...binding, secretNames: ['KEY', 'TOKEN'] },
    secrets: { TOKEN: 'the claim’s', KEY: 'mine' },
  })
})

test('passwords of git are told to git, and only they are secret', () => {
  const bound = withOwnSecrets(null, [password('git.example.com'), password('other.example.com:8443')])
  expect(bound?.secrets).toEqual({ HEARTH_GIT_PASSWORD_0: 'a-token', HEARTH_GIT_PASSWORD_1: 'a-token' })
  expect(bound?.binding.variables).toMatchObject({
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_1: 'credential.https://other.example.com:8443.helper',
  })
  expect(JSON.stringify(bound?.binding)).not.toContain('a-token')
})

test('a claim that configures git by variables itself keeps that', () => {
  const wanted = { binding: { ...binding, variables: { GIT_CONFIG_COUNT: '0' } }, secrets: {} }
  expect(withOwnSecrets(wanted, [password('git.example.com')])?.binding.variables).toEqual({
    GIT_CONFIG_COUNT: '0',
  })
})

test('more than a machine may be bound is refused with the numbers', () => {
  const value = 'x'.repeat(bindingLimits.totalBytes)
  expect(() => withOwnSecrets({ binding, secrets: {} }, [variable('BIG', value)])).toThrow(
    `with ${bindingLimits.totalBytes + 'BIG'.length + 'MODE'.length + 'test'.length} bytes`,
  )
})

test('a variable of one’s own that git reads is told once', () => {
  const own = [password('git.example.com'), variable('GIT_CONFIG_KEY_0')]
  const bound = withOwnSecrets(null, own)
  expect(bound?.binding.secretNames).toEqual(['HEARTH_GIT_PASSWORD_0'])
  expect(bound?.binding.variables.GIT_CONFIG_KEY_0).toBe('credential.https://git.example.com.helper')
  const counting = withOwnSecrets(null, [...own, variable('GIT_CONFIG_COUNT', '1')])
  expect(counting?.binding).toMatchObject({
    variables: {},
    secretNames: ['GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0'],
  })
})
