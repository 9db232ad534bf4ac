import { toError } from '@hearth/foundation'
import { clockCheck } from './checks/clock.ts'
import { controlPlaneCheck } from './checks/control-plane.ts'
import { diskCheck } from './checks/disk.ts'
import { domainsCheck } from './checks/domains.ts'
import { foldersCheck } from './checks/folders.ts'
import { guestNetworkCheck } from './checks/guest-network.ts'
import { layersCheck } from './checks/layers.ts'
import { libvirtCheck } from './checks/libvirt.ts'
import { pausedCheck } from './checks/paused.ts'
import { portsCheck } from './checks/ports.ts'
import { processorWeightsCheck } from './checks/processor-weights.ts'
import { programsCheck } from './checks/programs.ts'
import { stateRightsCheck } from './checks/state-rights.ts'
import { virtualizationCheck } from './checks/virtualization.ts'
import type { Check, Finding, Patient } from './finding.ts'

export const checks: readonly Check[] = [
  programsCheck,
  virtualizationCheck,
  libvirtCheck,
  guestNetworkCheck,
  stateRightsCheck,
  diskCheck,
  portsCheck,
  controlPlaneCheck,
  clockCheck,
  domainsCheck,
  pausedCheck,
  processorWeightsCheck,
  foldersCheck,
  layersCheck,
]

/** Runs every check; a check that throws counts as a problem. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings = await Promise.all(
    checks.map(({ name, examine: look }) =>
      look(patient).catch((error: unknown): Finding[] => [
        { check: name, level: 'problem', message: `could not be looked at: ${toError(error).message}` },
      ]),
    ),
  )
  return findings.flat()
}
