import ipaddr from 'ipaddr.js'

/** Addresses whose first `bits` are the same. */
export interface Network {
  address: string
  bits: number
}

/** An address, or a network like 10.0.0.0/8; null for anything else. */
export function parseNetwork(text: string): Network | null {
  if (ipaddr.isValidCIDR(text)) {
    const [address, bits] = ipaddr.parseCIDR(text)
    return { address: address.toString(), bits }
  }
  if (!isAddress(text)) return null
  const address = ipaddr.parse(text)
  return { address: address.toString(), bits: address.kind() === 'ipv4' ? 32 : 128 }
}

/** Whether it is an address as it is usually written: of IPv4 no short or octal forms. */
export const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)

export function isWithin(address: string, network: Network): boolean {
  if (!ipaddr.isValid(address)) return false
  const seen = ipaddr.parse(address)
  const base = ipaddr.parse(network.address)
  return seen.kind() === base.kind() && seen.match(base, network.bits)
}
