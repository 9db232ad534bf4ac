import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

export interface Capacity {
  virtualCpus: number
  memoryMebibytes: number
  diskGibibytes: number
}

/** Waiting guests use little of their processors, so each core is assigned several times. */
const virtualCpusPerCore = 4
/** Memory reserved for the host itself. */
const memoryShare = 0.9
const kibibytesPerGibibyte = 1024 ** 2

/** Total capacity for guests; a value that is overridden is not measured. */
export async function measureCapacity(
  runner: CommandRunner,
  folder: string,
  overrides: { [Name in keyof Capacity]?: number | undefined },
): Promise<Capacity> {
  const script =
    "getconf _NPROCESSORS_ONLN; awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo; " +
    'mkdir -p -m 711 -- "$1"; df --output=avail -k -- "$1" | tail -n 1; du -s -k -- "$1" | cut -f 1'
  const [cores, memory, free, used] = await readNumbers(runner, 'the capacity', script, folder, 4)
  return {
    virtualCpus: overrides.virtualCpus ?? (cores ?? 0) * virtualCpusPerCore,
    memoryMebibytes: overrides.memoryMebibytes ?? Math.floor((memory ?? 0) * memoryShare),
    diskGibibytes: overrides.diskGibibytes ?? Math.floor(((free ?? 0) + (used ?? 0)) / kibibytesPerGibibyte),
  }
}

/** Free space, in bytes, where a folder is. */
export async function measureFreeBytes(runner: CommandRunner, folder: string): Promise<number> {
  const script = 'df --output=avail -k -- "$1" | tail -n 1'
  const [free = 0] = await readNumbers(runner, 'the free disk space', script, folder, 1)
  return free * 1024
}

/** Parses a script's output, one whole number per line and nothing else; anything else is an error, never a zero. */
async function readNumbers(
  runner: CommandRunner,
  what: string,
  script: string,
  folder: string,
  count: number,
): Promise<number[]> {
  const { exitCode, stdout, stderr } = await runner.run(['sh', '-c', script, 'sh', folder])
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim())
  if (exitCode === 0 && lines.length === count && lines.every((line) => /^\d{1,15}$/.test(line))) {
    return lines.map(Number)
  }
  const said = `${stdout.slice(0, 200)}${stderr.slice(0, 200)}`.trim()
  throw new HostError('host_refused', `${what} of ${runner.describedAs} cannot be read: it says "${said}"`)
}
