import { expect, test } from 'vitest'
import { isAllowed, parseAllowedHost } from './allowed-hosts.ts'

const allows = (entry: string, host: string, port: number, address: string) => {
  const parsed = parseAllowedHost(entry)
  if (parsed === null) throw new Error(`${entry} was not understood`)
  return isAllowed([parsed], { host, port }, address)
}

test.each<[string, string, number, string, boolean]>([
  ['git.example', 'git.example', 443, '10.0.0.5', true],
  ['git.example', 'GIT.example.', 443, '10.0.0.5', true],
  ['git.example', 'evil.git.example', 443, '10.0.0.5', false],
  ['git.example:8443', 'git.example', 8443, '10.0.0.5', true],
  ['git.example:8443', 'git.example', 443, '10.0.0.5', false],
  ['*.corp.example', 'git.corp.example', 443, '10.0.0.5', true],
  ['*.corp.example', 'corp.example', 443, '10.0.0.5', false],
  ['*.corp.example', 'evilcorp.example', 443, '10.0.0.5', false],
  ['10.1.0.0/16', 'anything.example', 443, '10.1.2.3', true],
  ['10.1.0.0/16', 'anything.example', 443, '10.2.2.3', false],
  ['10.1.0.0/16', 'anything.example', 443, '::ffff:10.1.2.3', false],
  ['fd00::/8', 'anything.example', 443, 'fd12::1', true],
  ['127.0.0.1', '127.0.0.1', 9418, '127.0.0.1', true],
  ['127.0.0.1', 'localhost', 9418, '127.0.0.1', true],
  ['127.0.0.1:9418', '127.0.0.1', 80, '127.0.0.1', false],
  ['[fd00::5]:9418', 'fd00::5', 9418, 'fd00::5', true],
])('%s, asked for %s:%d at %s', (entry, host, port, address, expected) => {
  expect(allows(entry, host, port, address)).toBe(expected)
})

test.each([
  '',
  '*',
  '*.',
  'git example',
  'git.example:0',
  'git.example:70000',
  '10.0.0.0/33',
  'https://git.example',
  '[::1',
])('%s is none of these', (entry) => {
  expect(parseAllowedHost(entry)).toBeNull()
})
