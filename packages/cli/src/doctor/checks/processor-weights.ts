import { existsSync, readFileSync } from 'node:fs'
import { libvirtUri } from '../../dev/libvirt.ts'
import type { Check, Finding } from '../finding.ts'

const check = 'processor weights'
const controllersFile = '/sys/fs/cgroup/cgroup.controllers'

export const processorWeightsCheck: Check = {
  name: check,
  async examine({ variables, isRoot }) {
    return [judgeProcessorWeights(libvirtUri(variables, isRoot), hasControlGroups())]
  },
}

/** Whether machines share the processors by the size of their class when they want more than there are. */
export function judgeProcessorWeights(uri: string, controlGroups: boolean): Finding {
  if (!uri.endsWith('/system')) {
    return {
      check,
      level: 'warning',
      message: `${uri} has no control groups: a busy machine may take more of the processors than its class says`,
      remedy: 'run the agent as root with qemu:///system where machines are not trusted with each other',
    }
  }
  return controlGroups
    ? { check, level: 'ok', message: 'machines get the processors by the size of their class' }
    : {
        check,
        level: 'warning',
        message:
          'the kernel has no control group for processors: a busy machine may take more than its class says',
        remedy: `enable the controller "cpu" (it is missing in ${controllersFile})`,
      }
}

function hasControlGroups(): boolean {
  if (existsSync('/sys/fs/cgroup/cpu/cpu.shares') || existsSync('/sys/fs/cgroup/cpu,cpuacct/cpu.shares'))
    return true
  return existsSync(controllersFile) && /\bcpu\b/.test(readFileSync(controllersFile, 'utf8'))
}
