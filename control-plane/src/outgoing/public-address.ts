import ipaddr from 'ipaddr.js'

/**
 * Whether an address is one of the public internet's: not loopback, link-local, private, shared by a carrier, multicast,
 * reserved, or a form of IPv6 that holds an IPv4 address. What is not known to be public is not.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  // Of IPv6 only 2000::/3 is given out; the library calls what it does not know `unicast`.
  return address.kind() === 'ipv4' || ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20
}
