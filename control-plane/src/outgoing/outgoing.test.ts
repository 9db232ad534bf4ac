import { expect, test } from 'vitest'
import { parseAllowedHost } from './allowed-hosts.ts'
import { Outgoing } from './outgoing.ts'

const never = new AbortController().signal
const target = { host: 'git.example', port: 443 }

function judge(addresses: string[], allowed: string[] = []) {
  const hosts = allowed.flatMap((entry) => parseAllowedHost(entry) ?? [])
  return new Outgoing(hosts, async () => addresses).judge(target, never)
}

test('a public host is asked at the address that was judged', async () => {
  expect(await judge(['93.184.216.34'])).toEqual({ ...target, address: '93.184.216.34' })
})

test('of a host with public and private addresses only a public one is used', async () => {
  expect(await judge(['127.0.0.1', '10.0.0.1', '93.184.216.34'])).toMatchObject({ address: '93.184.216.34' })
})

test('a non-public address is refused unless it is allowed', async () => {
  expect(await judge(['10.0.0.5', '::1'])).toBe('not public')
  expect(await judge(['10.0.0.5'], ['git.example'])).toMatchObject({ address: '10.0.0.5' })
  expect(await judge([])).toBe('unresolved')
})

test.each(['127.1', '2130706433', '0x7f.0.0.1', '017700000001', 'localhost'])(
  'another way to write loopback is loopback: %s',
  async (host) => {
    expect(await new Outgoing([]).judge({ host, port: 80 }, never)).toBe('not public')
  },
)
