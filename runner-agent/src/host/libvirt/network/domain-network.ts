import { escapedAttribute } from '../escaped-attribute.ts'
import type { GuestLimits } from './ruleset.ts'

/** Network of one machine as its definition states it. */
export type DomainNetwork =
  /** Socket of the guest's passt process. */
  | { kind: 'isolated'; socket: string }
  /** QEMU's user network; address and port of the host that lead to the guest's port 22. */
  | { kind: 'user'; forward: { host: string; port: number } }
  | { kind: 'network' | 'bridge'; name: string; macAddress: string; limits: GuestLimits }

/** Bus address of the machine's only network card. */
const slot = '0x10'

/** The netdev argument for a machine whose network is passed to QEMU directly; null for other machines. */
export function netdevArgument(network: DomainNetwork): string | null {
  switch (network.kind) {
    case 'isolated':
      return `stream,id=n0,server=off,addr.type=unix,addr.path=${network.socket.replaceAll(',', ',,')}`
    case 'user':
      return `user,id=n0,hostfwd=tcp:${network.forward.host}:${network.forward.port}-:22`
    case 'network':
    case 'bridge':
      return null
  }
}

/** QEMU's arguments for the network. libvirt 9.0 refuses `<backend type='passt'/>`. */
export function networkArguments(network: DomainNetwork): string[] {
  const netdev = netdevArgument(network)
  if (netdev === null) return []
  return ['-netdev', netdev, '-device', `virtio-net-pci,netdev=n0,bus=pcie.0,addr=${slot},romfile=`]
}

/** libvirt's element for the network; null where the network is passed by QEMU arguments. */
export function interfaceElement(network: DomainNetwork): object | null {
  if (network.kind === 'isolated' || network.kind === 'user') return null
  const { bandwidthMegabitsPerSecond } = network.limits
  return {
    '@type': network.kind,
    mac: { '@address': network.macAddress },
    source: { [`@${network.kind}`]: network.name },
    model: { '@type': 'virtio' },
    // Bridged guests reach the network, and not each other.
    port: { '@isolated': 'yes' },
    // Only its own MAC address, and the IP address that the network's DHCP server assigns.
    filterref: {
      '@filter': 'clean-traffic',
      parameter: { '@name': 'CTRL_IP_LEARNING', '@value': 'dhcp' },
    },
    ...(bandwidthMegabitsPerSecond === undefined ? {} : { bandwidth: bandwidth(bandwidthMegabitsPerSecond) }),
    rom: { '@enabled': 'no' },
    address: { '@type': 'pci', '@domain': '0x0000', '@bus': '0x00', '@slot': slot, '@function': '0x0' },
  }
}

/** libvirt counts kilobytes a second, both ways. */
function bandwidth(megabits: number) {
  const average = { '@average': String(megabits * 125) }
  return { inbound: average, outbound: average }
}

/** The definition with its netdev argument replaced; null where it has none. */
export function replaceNetdev(definition: string, network: DomainNetwork): string | null {
  const netdev = netdevArgument(network)
  const argument = /(<qemu:arg value=")(?:user|stream),id=n0,[^"]*(")/
  if (netdev === null || !argument.test(definition)) return null
  return definition.replace(
    argument,
    (_, before: string, after: string) => before + escapedAttribute(netdev) + after,
  )
}
