import ipaddr from 'ipaddr.js'
import { isAddress, isWithin, type Network } from '../network.ts'

/** Who sent a request, as far as that can be known. */
export interface SentFrom {
  /** The other end of the connection; null where there is none. */
  peer: string | null
  /** `X-Forwarded-For`, which anybody may write: only what trusted proxies have added to it is true. */
  forwardedFor: string | undefined
}

/**
 * The address that a request came from: the connection's, or where that is a trusted proxy the last one in
 * `X-Forwarded-For` that is none. What is no address there ends the search at the proxy that passed it on.
 */
export function senderOf({ peer, forwardedFor }: SentFrom, trustedProxies: readonly Network[]): string {
  const isTrusted = (address: string) => trustedProxies.some((network) => isWithin(address, network))
  let sender = addressIn(peer ?? '')
  if (sender === null) return 'unknown'
  const passedOn = (forwardedFor ?? '').split(',').reverse()
  for (const part of passedOn) {
    if (!isTrusted(sender)) return sender
    const before = addressIn(part)
    if (before === null) return sender
    sender = before
  }
  return sender
}

/** An address without the port that some proxies add; IPv4 within IPv6 is IPv4. null for anything else. */
function addressIn(text: string): string | null {
  const trimmed = text.trim()
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/.exec(trimmed) ?? []
  const address = bracketed ?? plain ?? trimmed
  return isAddress(address) ? ipaddr.process(address).toString() : null
}

/** What counts as one sender: an IPv4 address, or the network of an IPv6 address, since a host has all of its 64 bits. */
export function senderKey(sender: string): string {
  return ipaddr.IPv6.isValid(sender) ? ipaddr.IPv6.networkAddressFromCIDR(`${sender}/64`).toString() : sender
}
