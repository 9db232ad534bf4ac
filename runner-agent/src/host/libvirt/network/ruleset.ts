import { guestLoopbacks } from './forwarded-ports.ts'
import type { UserRange } from './guest-users.ts'
import { guestAddresses, guestSubnet, type OpenedPort } from './settings.ts'

export interface GuestLimits {
  bandwidthMegabitsPerSecond?: number | undefined
  packetsPerSecond?: number | undefined
}

export interface RulesetDescription {
  /** One table per runner, so that several agents on one host do not remove each other's rules. */
  table: string
  users: UserRange
  allow: readonly OpenedPort[]
  deny: readonly string[]
  /** Name server for the guests' DNS queries; null where the host has none. */
  nameServer: string | null
  /** Whether the host's loopback leads to ports of guests: to the proxy's alone, who is root. */
  hasForwarded: boolean
  /** Limits by user id. */
  limits: ReadonlyMap<number, GuestLimits>
}

/** Link-local addresses, and the addresses of cloud metadata that lie elsewhere: Oracle, Alibaba, Azure. */
const neverReached = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '100.100.100.200/32',
  '168.63.129.16/32',
]

/** The name of a runner's table. */
export function tableName(owner: string): string {
  return `hearth-${owner}`
}

/** Statements for `nft -f` that remove the table, whether it is there or not. */
export function removalOf(table: string): string {
  return `table inet ${quoted(table)}\ndelete table inet ${quoted(table)}\n`
}

/**
 * Statements for `nft -f` that replace the table in one transaction. A guest's packets are recognised by the user id
 * of the process that forwards them, before any address translation. Replies to connections from outside to a guest
 * always pass.
 */
export function buildRuleset(description: RulesetDescription): string {
  const { table, users, allow, deny, nameServer, hasForwarded, limits } = description
  const { gateway, nameServer: seenNameServer } = guestAddresses
  const ports = allow.map(({ port }) => port).join(', ')
  const isGuest = `meta skuid ${users.first}-${users.last}`
  const rules = [
    ...[...limits].flatMap(([user, limit]) => limitRules(user, limit)),
    'ct direction reply accept',
    'meta nfproto ipv6 jump refuse',
    ...(allow.length === 0 ? [] : [`ip daddr ${gateway} tcp dport { ${ports} } accept`]),
    ...(nameServer === null
      ? []
      : [`ip daddr ${seenNameServer} meta l4proto { tcp, udp } th dport 53 accept`]),
    `ip daddr ${guestSubnet} jump refuse`,
    'fib daddr type { local, broadcast, multicast, anycast } jump refuse',
    `ip daddr { ${neverReached.join(', ')} } jump refuse`,
    ...deny.map((network) => `ip daddr ${network} jump refuse`),
  ]
  const translations = [
    ...allow.map(
      ({ name, host, port }) =>
        `${isGuest} ip daddr ${gateway} tcp dport ${port} dnat ip to ${host}:${port} comment "${name}"`,
    ),
    ...(nameServer === null
      ? []
      : [
          `${isGuest} ip daddr ${seenNameServer} meta l4proto { tcp, udp } th dport 53 dnat ip to ${nameServer}`,
        ]),
  ]
  return [
    removalOf(table),
    `table inet ${quoted(table)} {`,
    chain('refuse', ['meta l4proto tcp reject with tcp reset', 'reject with icmpx admin-prohibited']),
    chain('guest', rules),
    chain('output', [
      // After connections are tracked (-200), before destinations are translated (-100).
      'type filter hook output priority -150; policy accept;',
      `${isGuest} jump guest`,
      ...(hasForwarded
        ? [`ip daddr ${guestLoopbacks} ct direction original meta skuid != 0 jump refuse`]
        : []),
    ]),
    chain('translate', ['type nat hook output priority -100; policy accept;', ...translations]),
    '}',
    '',
  ].join('\n')
}

function limitRules(user: number, { bandwidthMegabitsPerSecond, packetsPerSecond }: GuestLimits): string[] {
  const bandwidth = bandwidthMegabitsPerSecond ?? 0
  // A burst of a tenth of a second, and at least one segment.
  const bytes = bandwidth * 125_000
  const burst = Math.max(131_072, Math.round(bytes / 10))
  return [
    ...(bandwidth > 0
      ? [`meta skuid ${user} limit rate over ${bytes} bytes/second burst ${burst} bytes drop`]
      : []),
    ...(packetsPerSecond === undefined
      ? []
      : [`meta skuid ${user} limit rate over ${packetsPerSecond}/second drop`]),
  ]
}

function chain(name: string, rules: readonly string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`
}

function quoted(table: string): string {
  if (!/^[a-z0-9-]+$/.test(table)) throw new Error(`not the name of a table: ${table}`)
  return table
}
