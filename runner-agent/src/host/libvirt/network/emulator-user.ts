import { HostError } from '../../host-error.ts'
import type { Virsh } from '../virsh.ts'

/** User id that QEMU runs under, according to libvirt's capabilities. */
export async function emulatorUser(virsh: Virsh): Promise<number> {
  const user = parseEmulatorUser(await virsh.run('capabilities'))
  if (user !== null) return user
  throw new HostError('host_refused', 'libvirt does not say which user QEMU runs under (secmodel dac)')
}

/** Null where the capabilities name no user. */
export function parseEmulatorUser(capabilities: string): number | null {
  const label = /<baselabel type=['"](?:qemu|kvm)['"]>\+(\d+):\+\d+<\/baselabel>/.exec(capabilities)
  return label === null ? null : Number(label[1])
}
