import { expect, test } from 'vitest'
import { interfaceElement, netdevArgument, networkArguments, replaceNetdev } from './domain-network.ts'
import { parseEmulatorUser } from './emulator-user.ts'
import { parseLeasedAddress } from './leased-address.ts'
import { parseNameServer } from './name-server.ts'
import { passtCommand } from './passt-command.ts'
import { isolatedByDefault, type NetworkSettings } from './settings.ts'
import { networkWarnings } from './warnings.ts'

const socket = '/run/hearth/guests/x/passt.sock'
const forward = { host: '127.0.0.1', port: 20_001 }
const limits = { bandwidthMegabitsPerSecond: 80 }

test('passt: nothing behind the gateway, one port, IPv4 alone, a user of its own, ends with QEMU', () => {
  const command = passtCommand({
    ...{ socket, user: 1_900_000_001, forward, forwarded: [], nameServer: 'filter' as const },
  }).join(' ')
  expect(command).toContain('--runas 1900000001:1900000001')
  expect(command).toContain('--no-map-gw')
  expect(command).toContain('--one-off --ipv4-only')
  expect(command).toContain('--tcp-ports 127.0.0.1/20001:22 --udp-ports none')
  expect(command).toContain('--dns 10.0.2.3')
  expect(command).not.toContain('--dns-forward')
})

test('passt of a plain user stays that user’s, and leads questions to the name server itself', () => {
  const command = passtCommand({
    ...{ socket, user: null, forward, forwarded: [], nameServer: { address: '127.0.0.53' } },
  })
  expect(command).not.toContain('--runas')
  expect(command.join(' ')).toContain('--dns 127.0.0.53 --dns-forward 10.0.2.3')
  expect(passtCommand({ socket, user: null, forward, forwarded: [], nameServer: null }).join(' ')).toContain(
    '--dns none',
  )
})

test('ports for the proxy are forwarded from an address of the loopback that is this guest’s alone', () => {
  const forwarded = [
    { first: 3_000, last: 3_009 },
    { first: 80, last: 80 },
  ]
  const command = passtCommand({ socket, user: null, forward, forwarded, nameServer: null })
  expect(command.join(' ')).toContain(
    '--tcp-ports 127.0.0.1/20001:22 --tcp-ports 127.77.78.33/13000-13009:3000-3009,10080-10080:80-80 --udp-ports none',
  )
})

test('an isolated machine is given its socket, one on a bridge an interface with filters', () => {
  expect(networkArguments({ kind: 'isolated', socket }).join(' ')).toContain(
    `stream,id=n0,server=off,addr.type=unix,addr.path=${socket} -device virtio-net-pci`,
  )
  expect(interfaceElement({ kind: 'isolated', socket })).toBeNull()
  const bridged = { kind: 'bridge', name: 'br0', macAddress: '52:54:00:00:00:01', limits } as const
  expect(networkArguments(bridged)).toEqual([])
  expect(interfaceElement(bridged)).toMatchObject({
    '@type': 'bridge',
    source: { '@bridge': 'br0' },
    port: { '@isolated': 'yes' },
    filterref: { '@filter': 'clean-traffic' },
    bandwidth: { inbound: { '@average': '10000' }, outbound: { '@average': '10000' } },
  })
})

test('a machine that was made with QEMU’s user network becomes an isolated one', () => {
  const definition = `<qemu:arg value="${netdevArgument({ kind: 'user', forward })}"/>`
  const changed = replaceNetdev(definition, { kind: 'isolated', socket })
  expect(changed).toBe(`<qemu:arg value="stream,id=n0,server=off,addr.type=unix,addr.path=${socket}"/>`)
  expect(replaceNetdev(changed ?? '', { kind: 'user', forward })).toBe(definition)
  expect(replaceNetdev('<interface/>', { kind: 'isolated', socket })).toBeNull()
})

test('what the host says is read', () => {
  const capabilities = "<model>dac</model><baselabel type='kvm'>+64055:+108</baselabel>"
  expect(parseEmulatorUser(capabilities)).toBe(64_055)
  expect(parseEmulatorUser('<model>none</model>')).toBeNull()
  const table = ' vnet0      52:54:00:a1:b2:c3    ipv4         192.168.122.45/24'
  expect(parseLeasedAddress(table)).toBe('192.168.122.45')
  expect(parseLeasedAddress('')).toBeNull()
  expect(parseNameServer('search x\nnameserver ::1\n nameserver 127.0.0.53\nnameserver 9.9.9.9')).toBe(
    '127.0.0.53',
  )
  expect(parseNameServer('# nameserver 1.1.1.1')).toBeNull()
})

test.each<[string, Partial<NetworkSettings>, { isRoot: boolean; filterFault: string | null }, RegExp | null]>(
  [
    ['root with a packet filter', {}, { isRoot: true, filterFault: null }, null],
    ['no packet filter', {}, { isRoot: true, filterFault: 'nft is not installed' }, /nft is not installed/],
    [
      'a plain user',
      { deny: ['10.0.0.0/8'] },
      { isRoot: false, filterFault: null },
      /HEARTH_GUEST_DENY cannot/,
    ],
    [
      'QEMU’s user network',
      { network: { kind: 'user' } },
      { isRoot: true, filterFault: null },
      /its loopback/,
    ],
    ['a bridge', { network: { kind: 'bridge', name: 'b' } }, { isRoot: true, filterFault: null }, null],
  ],
)('warnings: %s', (_, change, facts, expected) => {
  const warnings = networkWarnings({
    settings: { ...isolatedByDefault, ...change },
    ...facts,
    hasNameServer: true,
  })
  if (expected === null) expect(warnings).toEqual([])
  else expect(warnings).toEqual([expect.stringMatching(expected)])
})
