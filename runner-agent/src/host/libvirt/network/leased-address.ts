import { setTimeout as delay } from 'node:timers/promises'
import { HostError } from '../../host-error.ts'
import { domainName } from '../domains.ts'
import type { Virsh } from '../virsh.ts'

/** An emulated guest may take long until it asks for an address. */
const patienceMilliseconds = 180_000
const intervalMilliseconds = 500

/** The guest's own address in a network or on a bridge; null until it has one. */
export async function leasedAddress(
  virsh: Virsh,
  environmentId: string,
  kind: 'network' | 'bridge',
): Promise<string | null> {
  // A bridge's DHCP server is not libvirt's: the host's neighbour table is read instead.
  const { output } = await virsh.try(
    'domifaddr',
    domainName(environmentId),
    '--source',
    kind === 'network' ? 'lease' : 'arp',
  )
  return parseLeasedAddress(output)
}

export function parseLeasedAddress(table: string): string | null {
  return /\bipv4\s+(\d+\.\d+\.\d+\.\d+)(?:\/\d+)?\s*$/m.exec(table)?.[1] ?? null
}

export async function untilLeased(
  virsh: Virsh,
  environmentId: string,
  network: { kind: 'network' | 'bridge'; name: string },
): Promise<void> {
  const deadline = performance.now() + patienceMilliseconds
  while ((await leasedAddress(virsh, environmentId, network.kind)) === null) {
    if (performance.now() > deadline) {
      throw new HostError(
        'host_refused',
        `the guest got no address on the ${network.kind} ${network.name} within ${patienceMilliseconds / 1000} s: ` +
          'a DHCP server has to answer there',
      )
    }
    await delay(intervalMilliseconds)
  }
}
