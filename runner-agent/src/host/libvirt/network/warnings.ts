import type { NetworkSettings } from './settings.ts'

export interface NetworkFacts {
  settings: NetworkSettings
  isRoot: boolean
  /** Why the packet filter rules are not in place; null where they are, or where that has not been tried. */
  filterFault: string | null
  hasNameServer: boolean
}

/** What guests can reach that they should not, and which settings cannot be applied. */
export function networkWarnings({ settings, isRoot, filterFault, hasNameServer }: NetworkFacts): string[] {
  const { network, allow, deny } = settings
  const warnings: string[] = []
  const ignored = [
    ...(allow.length > 0 ? ['HEARTH_GUEST_ALLOW'] : []),
    ...(deny.length > 0 ? ['HEARTH_GUEST_DENY'] : []),
  ].join(' and ')
  const without = ignored === '' ? '' : `; ${ignored} cannot be held`
  switch (network.kind) {
    case 'user':
      warnings.push(
        `HEARTH_GUEST_NETWORK=user: guests reach every port that listens on this host, also on its loopback${without}`,
      )
      break
    case 'network':
    case 'bridge':
      warnings.push(
        ...(ignored === ''
          ? []
          : [
              `guests are on the ${network.kind} ${network.name}, whose own rules hold: ${ignored} cannot be held`,
            ]),
      )
      break
    case 'isolated': {
      const cause = isRoot ? filterFault : 'the agent is not root'
      if (cause !== null) {
        warnings.push(
          `guests' networks are not filtered (${cause}): root in a guest reaches this host's own addresses and ports, ` +
            `link-local addresses and cloud metadata; limits of bandwidth and packets do not hold${without}`,
        )
      }
      if (!hasNameServer) {
        warnings.push(
          '/etc/resolv.conf names no IPv4 name server: guests resolve no names until HEARTH_GUEST_NAME_SERVER is set',
        )
      }
    }
  }
  return warnings
}
