import type { PortRange } from './forwarded-ports.ts'

/** How guests are connected. */
export type GuestNetwork =
  | { kind: 'isolated' }
  | { kind: 'user' }
  /** A libvirt network. */
  | { kind: 'network'; name: string }
  /** A bridge of the host. */
  | { kind: 'bridge'; name: string }

/** A port of the host that guests reach at the address `gateway` and the same port. */
export interface OpenedPort {
  name: string
  host: string
  port: number
}

export interface NetworkSettings {
  network: GuestNetwork
  allow: readonly OpenedPort[]
  /** IPv4 networks, as in 10.0.0.0/8. */
  deny: readonly string[]
  /** IPv4 address of the name server for guests; null for the first one of the host. */
  nameServer: string | null
  /** First of the user ids that guests' networking processes run under; null for ids derived from the runner's. */
  firstUser: number | null
  /** Ports of isolated guests to which the host's loopback leads, for its proxy. */
  forwarded: readonly PortRange[]
}

export const isolatedByDefault: NetworkSettings = {
  network: { kind: 'isolated' },
  allow: [],
  deny: [],
  nameServer: null,
  firstUser: null,
  forwarded: [],
}

/** Addresses an isolated guest sees: its own, the router and the name server. The base images are built for them. */
export const guestAddresses = { own: '10.0.2.15', gateway: '10.0.2.2', nameServer: '10.0.2.3' } as const
export const guestSubnet = '10.0.2.0/24'
