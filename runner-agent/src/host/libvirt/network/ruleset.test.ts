import fc from 'fast-check'
import { expect, test } from 'vitest'
import { guestUsers, userOfPort } from './guest-users.ts'
import { guestPorts } from './ports.ts'
import { buildRuleset, type RulesetDescription, removalOf, tableName } from './ruleset.ts'

const description: RulesetDescription = {
  table: tableName('0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'),
  users: { first: 1_900_000_000, last: 1_900_012_000 },
  allow: [],
  deny: [],
  nameServer: null,
  hasForwarded: false,
  limits: new Map(),
}
const rulesOf = (change: Partial<RulesetDescription> = {}) =>
  buildRuleset({ ...description, ...change })
    .split('\n')
    .map((line) => line.trim())

test('the table is replaced in one transaction, and filters only the users of guests', () => {
  const rules = rulesOf()
  expect(rules.slice(0, 3)).toEqual([
    `table inet ${description.table}`,
    `delete table inet ${description.table}`,
    '',
  ])
  const [hook] = rules.filter((rule) => rule.includes('jump guest'))
  expect(hook).toBe('meta skuid 1900000000-1900012000 jump guest')
  expect(removalOf(description.table)).not.toContain('chain')
})

test.each([
  ['every address of the host itself', 'fib daddr type { local, broadcast, multicast, anycast } jump refuse'],
  ['every port behind the router’s address', 'ip daddr 10.0.2.0/24 jump refuse'],
  ['IPv6, with its link-local and metadata addresses', 'meta nfproto ipv6 jump refuse'],
])('refused by default: %s', (_, rule) => {
  expect(rulesOf()).toContain(rule)
})

test.each(['0.0.0.0/8', '169.254.0.0/16', '192.0.0.192/32', '100.100.100.200/32', '168.63.129.16/32'])(
  'refused by default: %s',
  (network) => {
    expect(rulesOf().find((rule) => rule.includes('169.254'))).toContain(network)
  },
)

test('a port that was opened is accepted before the router’s address is refused, and led to the host’s port', () => {
  const rules = rulesOf({ allow: [{ name: 'git', host: '127.0.0.1', port: 9_418 }] })
  const accepted = rules.indexOf('ip daddr 10.0.2.2 tcp dport { 9418 } accept')
  expect(accepted).toBeGreaterThan(0)
  expect(accepted).toBeLessThan(rules.indexOf('ip daddr 10.0.2.0/24 jump refuse'))
  expect(rules).toContain(
    'meta skuid 1900000000-1900012000 ip daddr 10.0.2.2 tcp dport 9418 dnat ip to 127.0.0.1:9418 comment "git"',
  )
  expect(rulesOf().join()).not.toContain('dnat')
})

test('the name server is the host’s, by TCP and UDP, whatever its address', () => {
  expect(rulesOf({ nameServer: '127.0.0.53' })).toContain(
    'meta skuid 1900000000-1900012000 ip daddr 10.0.2.3 meta l4proto { tcp, udp } th dport 53 dnat ip to 127.0.0.53',
  )
})

test('closed networks are refused, and limits hold before anything is accepted', () => {
  const limits = new Map([[1_900_000_007, { bandwidthMegabitsPerSecond: 100, packetsPerSecond: 5_000 }]])
  const rules = rulesOf({ deny: ['10.0.0.0/8'], limits })
  expect(rules).toContain('ip daddr 10.0.0.0/8 jump refuse')
  const bandwidth = rules.indexOf(
    'meta skuid 1900000007 limit rate over 12500000 bytes/second burst 1250000 bytes drop',
  )
  expect(rules[bandwidth + 1]).toBe('meta skuid 1900000007 limit rate over 5000/second drop')
  expect(bandwidth).toBeLessThan(rules.indexOf('ct direction reply accept'))
  expect(bandwidth).toBeGreaterThan(0)
})

test('an invalid name of a table is refused', () => {
  expect(() => removalOf('x { } flush ruleset')).toThrow('not the name of a table')
})

test('each port of a runner has its own user, outside the ids that a system gives out', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: guestPorts.first, max: guestPorts.last }), (owner, port) => {
      const users = guestUsers(owner, null)
      const user = userOfPort(users, port)
      return user >= users.first && user <= users.last && user >= 1_879_048_192 && user <= 2_147_352_575
    }),
  )
  const users = guestUsers('a', 60_000)
  expect([userOfPort(users, 20_000), userOfPort(users, 20_001)]).toEqual([60_000, 60_001])
  expect(() => userOfPort(users, 22)).toThrow(RangeError)
})

test('where the host’s loopback leads to ports of guests, nobody but the proxy’s user gets there', () => {
  expect(rulesOf().join()).not.toContain('127.77')
  expect(rulesOf({ hasForwarded: true })).toContain(
    'ip daddr 127.77.0.0/16 ct direction original meta skuid != 0 jump refuse',
  )
})
