import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Finding } from '../finding.ts'

const check = 'guest networks'

export interface GuestNetworkFacts {
  /** HEARTH_GUEST_NETWORK as in the agent's environment variables. */
  network: string
  isRoot: boolean
  hasPacketFilter: boolean
  /** HEARTH_GUEST_ALLOW and HEARTH_GUEST_DENY, where they are set. */
  asked: readonly string[]
  /** Whether AppArmor confines programs on this host. */
  isConfined: boolean
}

/** Checks the variables and this host; what a running agent found is in its runner's status. */
export const guestNetworkCheck: Check = {
  name: check,
  async examine({ variables, isRoot }) {
    const folders = [...(variables.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
    return judgeGuestNetwork({
      network: variables.HEARTH_GUEST_NETWORK ?? 'isolated',
      isRoot,
      hasPacketFilter: folders.some((folder) => folder !== '' && existsSync(join(folder, 'nft'))),
      asked: ['HEARTH_GUEST_ALLOW', 'HEARTH_GUEST_DENY'].filter((name) => (variables[name] ?? '') !== ''),
      isConfined: existsSync('/sys/kernel/security/apparmor/profiles'),
    })
  },
}

export function judgeGuestNetwork(facts: GuestNetworkFacts): Finding[] {
  const { network, isRoot, hasPacketFilter, asked, isConfined } = facts
  const without = asked.length === 0 ? '' : `; ${asked.join(' and ')} cannot be held`
  const findings: Finding[] = []
  const warn = (message: string, remedy: string) =>
    findings.push({ check, level: 'warning', message: message + without, remedy })
  if (network === 'user') {
    warn(
      'HEARTH_GUEST_NETWORK=user: machines reach every port that listens on this host, also on its loopback',
      'unset HEARTH_GUEST_NETWORK, and install passt',
    )
  } else if (network === 'isolated' && !isRoot) {
    warn(
      "without root, the root of a machine cannot be kept from link-local addresses, cloud metadata and this host's own addresses",
      'run the agent as root where you do not trust what runs in its machines',
    )
  } else if (network === 'isolated' && !hasPacketFilter) {
    warn(
      "without nft, the root of a machine cannot be kept from link-local addresses, cloud metadata and this host's own addresses",
      'apt-get install nftables',
    )
  } else {
    findings.push({
      check,
      level: 'ok',
      message:
        network === 'isolated'
          ? "machines are kept from this host's own addresses and from each other"
          : `machines are on the ${network}`,
    })
  }
  if (network === 'isolated' && isConfined) {
    findings.push({
      check,
      level: 'warning',
      message: 'AppArmor is in force: it has to let passt and QEMU at /run/hearth/guests',
      remedy: 'if machines do not start: deploy/apparmor/README.md',
    })
  }
  return findings
}
