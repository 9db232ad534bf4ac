import { newId } from '@hearth/foundation'
import type { MachineSpecification } from '@hearth/runner-agent'

/** A small guest of the Debian image that accepts the agent's key. */
export function guestSpecification(agentKey: string, environmentId = newId()): MachineSpecification {
  return {
    environmentId,
    hostname: 'shop',
    image: 'debian-12',
    virtualCpus: 2,
    memoryMebibytes: 512,
    diskGibibytes: 3,
    // libvirt's bandwidth limits need queues (htb, sfq) that not every kernel has.
    limits: {},
    userCertificateAuthority: agentKey,
    principal: 'nobody',
    source: null,
  }
}
