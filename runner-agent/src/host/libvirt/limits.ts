import type { MachineLimits } from '@hearth/contract'
import type { CommandRunner } from '../command/command-runner.ts'

/** libvirt's element for a disk's limits; nothing where none is set. */
export function diskLimits({ diskMegabytesPerSecond, diskOperationsPerSecond }: MachineLimits) {
  const iotune = {
    ...(diskMegabytesPerSecond === undefined ? {} : { total_bytes_sec: diskMegabytesPerSecond * 1_000_000 }),
    ...(diskOperationsPerSecond === undefined ? {} : { total_iops_sec: diskOperationsPerSecond }),
  }
  return Object.keys(iotune).length === 0 ? {} : { iotune }
}

/** What one virtual CPU is worth against those of other machines, when the host has fewer than all of them want. */
const sharesPerVirtualCpu = 1_024
const mostShares = 262_144

/** Without it a machine weighs what its threads ask for, whatever its class. */
export function processorShares(virtualCpus: number) {
  return { shares: Math.min(mostShares, virtualCpus * sharesPerVirtualCpu) }
}

/** Whether libvirt may use control groups there: only the system's may, and only on a kernel that has the one for processors. */
export async function hasControlGroups(runner: CommandRunner, uri: string): Promise<boolean> {
  if (!uri.endsWith('/system')) return false
  const script =
    '[ -e /sys/fs/cgroup/cpu/cpu.shares ] || [ -e /sys/fs/cgroup/cpu,cpuacct/cpu.shares ] || ' +
    'grep -qw cpu /sys/fs/cgroup/cgroup.controllers'
  return (await runner.run(['sh', '-c', script])).exitCode === 0
}
