import { defaultQuotas } from '@hearth/contract'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const environment = {
  HEARTH_DATABASE_URL: 'postgresql://127.0.0.1/hearth',
  HEARTH_NATS_URL: 'nats://127.0.0.1:4222',
  HEARTH_ENCRYPTION_KEY_FILE: '/nowhere/encryption.key',
}

test('quotas that are not named stay as they are', () => {
  expect(readConfig(environment).quotas).toEqual(defaultQuotas)
  const given = { ...environment, HEARTH_PRINCIPAL_QUOTAS: 'streams=7, requestsPerSecond=none' }
  expect(readConfig(given).quotas).toEqual({
    ...defaultQuotas,
    principal: { ...defaultQuotas.principal, streams: 7, requestsPerSecond: null },
  })
})

test('trusted proxies are addresses and networks, and none by default', () => {
  expect(readConfig(environment).senders).toEqual({ requestsPerSecond: 20, trustedProxies: [] })
  const given = { ...environment, HEARTH_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,2001:db8::/32' }
  expect(readConfig(given).senders.trustedProxies).toEqual([
    { address: '127.0.0.1', bits: 32 },
    { address: '10.0.0.0', bits: 8 },
    { address: '2001:db8::', bits: 32 },
  ])
  for (const text of ['proxy.example.org', '10.0.0.0/33', '10.1'])
    expect(() => readConfig({ ...environment, HEARTH_TRUSTED_PROXIES: text })).toThrow(
      `HEARTH_TRUSTED_PROXIES: an address or a network like 10.0.0.0/8, and not ${text}`,
    )
})

test('a key for revoking runners is refused without the other keys', () => {
  const given = { ...environment, HEARTH_NATS_SIGNING_SEED_FILE: '/nowhere/operator-signing.seed' }
  expect(() => readConfig(given)).toThrow(/HEARTH_NATS_SYSTEM_CREDENTIALS_FILE: needed to revoke runners/)
})

test.each(['streams', 'streams=-1', 'streams=1.5', 'rivers=3', 'streams=1;environments=2', '__proto__=1'])(
  'a quota written %s is refused with the names there are',
  (text) => {
    expect(() => readConfig({ ...environment, HEARTH_ORGANIZATION_QUOTAS: text })).toThrow(
      /HEARTH_ORGANIZATION_QUOTAS: NAME=NUMBER .*streams, requestsPerSecond/,
    )
  },
)

test('HTTPS is served where it is asked for, under names that can be in a certificate', () => {
  expect(readConfig(environment).secure).toBeNull()
  const given = { ...environment, HEARTH_TLS_LISTEN: '[::1]:7071' }
  expect(readConfig(given).secure).toEqual({ listen: { host: '::1', port: 7_071 }, hosts: [] })
  expect(readConfig({ ...given, HEARTH_TLS_HOSTS: 'hearth.example.org, 10.0.0.7' }).secure?.hosts).toEqual([
    'hearth.example.org',
    '10.0.0.7',
  ])
  for (const text of ['https://hearth.example.org', '*.example.org', 'a b', `${'a'.repeat(64)}.org`])
    expect(() => readConfig({ ...given, HEARTH_TLS_HOSTS: text })).toThrow(
      `HEARTH_TLS_HOSTS: a host name or an address, and not ${text}`,
    )
})
