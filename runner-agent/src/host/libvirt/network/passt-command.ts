import { forwardOption, type PortRange } from './forwarded-ports.ts'
import { guestAddresses } from './settings.ts'

export interface PasstDescription {
  socket: string
  /** User that passt runs under when root starts it; null for the user who starts it. */
  user: number | null
  /** The host's address and port that lead to the guest's port 22. */
  forward: { host: string; port: number }
  /** Further ports of the guest that the host's loopback leads to. */
  forwarded: readonly PortRange[]
  /** Whether the packet filter redirects DNS queries to the host's name server; otherwise passt does, for UDP only. */
  nameServer: 'filter' | { address: string } | null
}

/**
 * The command line of passt for one guest. IPv4 only, so that no IPv6 address has to be blocked; the gateway's
 * address leads to nothing on the host; passt ends when QEMU closes the socket.
 */
export function passtCommand({ socket, user, forward, forwarded, nameServer }: PasstDescription): string[] {
  const { own, gateway, nameServer: seen } = guestAddresses
  return [
    'passt',
    '--quiet',
    ...(user === null ? [] : ['--runas', `${user}:${user}`]),
    '--socket',
    socket,
    '--one-off',
    '--ipv4-only',
    '--address',
    own,
    '--netmask',
    '255.255.255.0',
    '--gateway',
    gateway,
    '--no-map-gw',
    ...nameServerOptions(nameServer, seen),
    '--search',
    'none',
    '--tcp-ports',
    `${forward.host}/${forward.port}:22`,
    ...(forwarded.length === 0 ? [] : ['--tcp-ports', forwardOption(forward.port, forwarded)]),
    '--udp-ports',
    'none',
  ]
}

function nameServerOptions(nameServer: PasstDescription['nameServer'], seen: string): string[] {
  if (nameServer === null) return ['--dns', 'none']
  // DHCP announces the address that the packet filter redirects.
  if (nameServer === 'filter') return ['--dns', seen]
  return ['--dns', nameServer.address, '--dns-forward', seen]
}
