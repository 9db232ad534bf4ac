import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

export interface Capacity {
  virtualCpus: number
  memoryMebibytes: number
  diskGibibytes: number
}

/** Guests that wait for people use little of their processors, so each core is given out several times. */
const virtualCpusPerCore = 4
/** Left to the host itself. */
const memoryShare = 0.9

/** What guests may use in all; what is overridden is not measured. */
export async function measureCapacity(
  runner: CommandRunner,
  folder: string,
  overrides: { [Name in keyof Capacity]?: number | undefined },
): Promise<Capacity> {
  const script =
    "getconf _NPROCESSORS_ONLN; awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo; " +
    'mkdir -p -m 755 -- "$1"; df --output=avail -BG -- "$1" | tail -n 1; du -s -BG -- "$1" | cut -f 1'
  const result = await runner.run(['sh', '-c', script, 'sh', folder])
  const [cores, memory, free, used] = result.stdout
    .split('\n')
    .map((line) => Number.parseInt(line.trim(), 10))
  if (
    result.exitCode !== 0 ||
    [cores, memory, free, used].some((number) => Number.isNaN(number ?? Number.NaN))
  ) {
    throw new HostError(
      'host_refused',
      `the capacity of ${runner.describedAs} cannot be read: ${result.stderr.trim()}`,
    )
  }
  return {
    virtualCpus: overrides.virtualCpus ?? (cores ?? 0) * virtualCpusPerCore,
    memoryMebibytes: overrides.memoryMebibytes ?? Math.floor((memory ?? 0) * memoryShare),
    diskGibibytes: overrides.diskGibibytes ?? (free ?? 0) + (used ?? 0),
  }
}
