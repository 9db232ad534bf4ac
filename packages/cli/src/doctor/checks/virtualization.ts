import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Check, Finding } from '../finding.ts'

export interface KvmFacts {
  /** Null when there is no /dev/kvm. */
  device: { owner: number; group: number; mode: number } | null
  /** Number of the group `kvm`, or null when there is no such group. */
  kvmGroup: number | null
  /** Whether the processor's flags include vmx or svm. */
  processorSaysYes: boolean
  /** Result of the agent's test guest, if it has run one. */
  proof: { virtualization: 'kvm' | 'qemu'; reason: string } | null
}

const check = 'virtualization'
const cost = 'machines are emulated instead: they boot and run about ten times slower'
const trap =
  'libvirt then asks QEMU what it can do again before every start, which takes over a minute each time'

export const virtualizationCheck: Check = {
  name: check,
  examine: async ({ stateFolder }) => [judgeKvm(kvmFacts(stateFolder))],
}

export function judgeKvm({ device, kvmGroup, processorSaysYes, proof }: KvmFacts): Finding {
  if (device === null) {
    return {
      check,
      level: 'warning',
      message: `there is no /dev/kvm; ${cost}`,
      remedy:
        'switch virtualization on in the firmware, or nested virtualization in the host of this machine',
    }
  }
  if (!usableByKvmGroup(device, kvmGroup)) {
    return {
      check,
      level: 'problem',
      message: `/dev/kvm is there, but QEMU's user may not use it (mode ${octal(device.mode)}); ${trap}`,
      remedy: 'chgrp kvm /dev/kvm && chmod 660 /dev/kvm   (udev does this where it runs)',
    }
  }
  if (proof?.virtualization === 'kvm')
    return { check, level: 'ok', message: 'KVM works: a guest ran under it' }
  if (proof?.reason.includes('said nothing')) {
    return {
      check,
      level: 'warning',
      message: `${proof.reason}: a guest hangs under KVM here, so ${cost}`,
      remedy: 'nothing, if this machine is itself a guest without nested virtualization',
    }
  }
  if (!processorSaysYes) {
    return {
      check,
      level: 'warning',
      message: `/dev/kvm is there, but the processor shows neither vmx nor svm, so a guest would most likely hang; ${cost}`,
      remedy: 'nothing, if this machine is itself a guest without nested virtualization',
    }
  }
  return {
    check,
    level: 'ok',
    message: '/dev/kvm can be used; the agent proves it with a guest when it starts',
  }
}

function usableByKvmGroup(
  { group, mode }: { group: number; mode: number },
  kvmGroup: number | null,
): boolean {
  const byAll = (mode & 0o006) === 0o006
  const byGroup = (mode & 0o060) === 0o060 && group === kvmGroup
  return byAll || byGroup
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

const proofSchema = z.object({ virtualization: z.enum(['kvm', 'qemu']), reason: z.string() })

function kvmFacts(stateFolder: string): KvmFacts {
  const device = statSync('/dev/kvm', { throwIfNoEntry: false })
  const group = /^kvm:[^:]*:(\d+):/m.exec(readOr('/etc/group', ''))?.[1]
  const proof = proofSchema.safeParse(json(readOr(join(stateFolder, 'agent', 'virtualization.json'), '')))
  return {
    device: device === undefined ? null : { owner: device.uid, group: device.gid, mode: device.mode },
    kvmGroup: group === undefined ? null : Number(group),
    processorSaysYes: /^flags\s*:.*\b(vmx|svm)\b/m.test(readOr('/proc/cpuinfo', '')),
    proof: proof.success ? proof.data : null,
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
