import { newId } from '@hearth/foundation'
import { generateSecureShellKeyPair, type MachineSpecification } from '@hearth/runner-agent'

/** A guest of the mute image. */
export function muteSpecification(source: MachineSpecification['source'] = null): MachineSpecification {
  const environmentId = newId()
  return {
    environmentId,
    hostname: 'shop',
    image: 'mute',
    virtualCpus: 1,
    memoryMebibytes: 192,
    diskGibibytes: 3,
    limits: {},
    userCertificateAuthority: generateSecureShellKeyPair('authority').publicKey,
    principal: `environment:${environmentId}`,
    source,
  }
}
