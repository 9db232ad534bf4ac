/** Ports of guests, with both ends. */
export interface PortRange {
  first: number
  last: number
}

/** What is forwarded to guests must be below it. */
export const mostForwardedPort = 9_999
/** Between a guest's port and the host's that leads to it: hardly anything listens there on all addresses. */
const offset = 10_000

/** An address of the host's loopback for one guest alone, by the guest's port for SSH, which no other on the host has. */
export function guestLoopback(sshPort: number): string {
  return `127.77.${sshPort >> 8}.${sshPort & 255}`
}

/** All such addresses. */
export const guestLoopbacks = '127.77.0.0/16'

export const hostPortOf = (port: number): number => port + offset

/** As passt is told: `127.77.78.32/13000-13009:3000-3009,…`. */
export function forwardOption(sshPort: number, ranges: readonly PortRange[]): string {
  const parts = ranges.map(({ first, last }) => `${hostPortOf(first)}-${hostPortOf(last)}:${first}-${last}`)
  return `${guestLoopback(sshPort)}/${parts.join(',')}`
}

export const isForwarded = (port: number, ranges: readonly PortRange[]): boolean =>
  ranges.some(({ first, last }) => first <= port && port <= last)
