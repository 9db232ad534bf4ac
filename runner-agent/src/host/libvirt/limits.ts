import type { MachineLimits } from '@hearth/contract'
import type { CommandRunner } from '../command/command-runner.ts'

/** libvirt's element for a disk's limits; empty where no limit is set. */
export function diskLimits({ diskMegabytesPerSecond, diskOperationsPerSecond }: MachineLimits) {
  const iotune = {
    ...(diskMegabytesPerSecond === undefined ? {} : { total_bytes_sec: diskMegabytesPerSecond * 1_000_000 }),
    ...(diskOperationsPerSecond === undefined ? {} : { total_iops_sec: diskOperationsPerSecond }),
  }
  return Object.keys(iotune).length === 0 ? {} : { iotune }
}

/** Weight of one virtual CPU against those of other machines, when together they want more than the host has. */
const sharesPerVirtualCpu = 1_024
const mostShares = 262_144

/** Without it a machine gets a share by its number of threads, whatever its class. */
export function processorShares(virtualCpus: number) {
  return { shares: Math.min(mostShares, virtualCpus * sharesPerVirtualCpu) }
}

/**
 * Whether libvirt may use control groups there: only the system's libvirt may, and only on a kernel with the cpu
 * controller.
 */
export async function hasControlGroups(runner: CommandRunner, uri: string): Promise<boolean> {
  if (!uri.endsWith('/system')) return false
  const script =
    '[ -e /sys/fs/cgroup/cpu/cpu.shares ] || [ -e /sys/fs/cgroup/cpu,cpuacct/cpu.shares ] || ' +
    'grep -qw cpu /sys/fs/cgroup/cgroup.controllers'
  return (await runner.run(['sh', '-c', script])).exitCode === 0
}
