import { libvirtAnswers, libvirtUri } from '../../dev/libvirt.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'libvirt'

export const libvirtCheck: Check = {
  name: check,
  async examine({ variables, isRoot }) {
    const uri = libvirtUri(variables, isRoot)
    const answers = await libvirtAnswers(uri, variables).catch(() => null)
    // Another check reports a missing virsh.
    return answers === null ? [] : [judgeLibvirt(uri, answers)]
  },
}

export function judgeLibvirt(uri: string, answers: boolean): Finding {
  if (answers) return { check, level: 'ok', message: `libvirt answers at ${uri}` }
  return {
    check,
    level: 'warning',
    message: `libvirt does not answer at ${uri}`,
    remedy:
      '`hearth dev` starts it; or: systemctl start libvirtd (without systemd: virtlogd -d; libvirtd -d)',
  }
}
