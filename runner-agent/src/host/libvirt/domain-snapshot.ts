import { setTimeout as delay } from 'node:timers/promises'
import { HostError } from '../host-error.ts'
import { type ReadDefinition, readDefinition } from './definition.ts'
import { domainName } from './domains.ts'
import type { Virsh } from './virsh.ts'

export interface SnapshotPaths {
  /** The overlay that the guest writes to from then on; it is there already. */
  nextDisk: string
  /** Null for a snapshot without memory. */
  memory: string | null
  /** Where volumes are in the machine, which stay out of it. */
  volumeTargets: readonly string[]
}

/** What libvirt says of one domain: as it runs, and as it starts the next time. */
export interface SeenDefinitions {
  live: ReadDefinition
  lasting: ReadDefinition
}

/** Longest wait for a job of libvirt on the domain that an agent started that has ended since. */
const jobMilliseconds = 600_000
const jobPollMilliseconds = 100
const leastMebibytesPerSecond = 20

/** Snapshots of running domains, and what libvirt says about their disks. */
export class DomainSnapshots {
  constructor(
    private readonly virsh: Virsh,
    private readonly virtualization: 'kvm' | 'qemu',
  ) {}

  /** Resolves as soon as libvirt works on no snapshot of the domain: one goes on when the agent that asked has ended. */
  async definitions(environmentId: string): Promise<SeenDefinitions> {
    const name = domainName(environmentId)
    const ended = performance.now() + jobMilliseconds
    for (;;) {
      const [job = '', live = '', lasting = ''] = await this.virsh.batch([
        `domjobinfo ${name}`,
        `dumpxml ${name}`,
        `dumpxml --inactive ${name}`,
      ])
      if (/^Job type:\s*None/m.test(job) || !/^Job type:/m.test(job)) {
        const read = { live: readDefinition(live), lasting: readDefinition(lasting) }
        if (read.live !== null && read.lasting !== null) return { live: read.live, lasting: read.lasting }
        throw new HostError('host_refused', `libvirt names no disk of ${name}`)
      }
      if (performance.now() > ended)
        throw new HostError('host_refused', `libvirt is busy with ${name}: ${job.split('\n')[0]}`)
      await delay(jobPollMilliseconds)
    }
  }

  /** Resolves with how long the guest stood still, in milliseconds. Throws HostError with libvirt's reason. */
  async take(environmentId: string, paths: SnapshotPaths, memoryMebibytes: number): Promise<number> {
    const name = domainName(environmentId)
    const stop = new AbortController()
    const pauses = new Pauses()
    const followed = this.virsh
      .followEventsOf(name, (line) => pauses.take(line), stop.signal)
      .catch(() => undefined)
    const kind =
      paths.memory === null
        ? ['--disk-only']
        : [...this.whileItRuns(), '--memspec', `file=${paths.memory},snapshot=external`]
    const began = performance.now()
    try {
      const { error } = await this.virsh.tryFor(
        180_000 + (memoryMebibytes / leastMebibytesPerSecond) * 1_000,
        'snapshot-create-as',
        name,
        ...['--no-metadata', '--atomic', '--reuse-external', ...kind],
        ...['--diskspec', `vda,file=${paths.nextDisk},snapshot=external`],
        ...['--diskspec', 'vdb,snapshot=no'],
        ...paths.volumeTargets.flatMap((target) => ['--diskspec', `${target},snapshot=no`]),
      )
      if (error !== null) throw new HostError('host_refused', `the machine cannot be frozen: ${error}`)
      const took = performance.now() - began
      if (paths.memory === null) return 0
      await pauses.ended(eventMilliseconds)
      // Events may be lost: then it stood still for at most so long.
      return Math.round(pauses.milliseconds ?? took)
    } finally {
      stop.abort()
      await followed
    }
  }

  /**
   * An emulated guest stands still while its memory is written: QEMU 7.2 loses some of what such a guest writes
   * meanwhile, and it then panics where it goes on.
   */
  private whileItRuns(): string[] {
    return this.virtualization === 'kvm' ? ['--live'] : []
  }
}

/** Time within which an event arrives that has happened. */
const eventMilliseconds = 500

/** Adds up how long a guest stood still, from libvirt's events. */
export class Pauses {
  milliseconds: number | null = null
  private since: number | null = null
  private readonly told = new Set<() => void>()

  take(line: string): void {
    const [, time = '', event] =
      /^(\S+ \S+): event 'lifecycle' for domain '[^']*': (Suspended|Resumed)/.exec(line) ?? []
    const milliseconds = Date.parse(time.replace(' ', 'T').replace('+0000', 'Z'))
    if (event === 'Suspended') this.since ??= milliseconds
    if (event !== 'Resumed' || this.since === null) return
    this.milliseconds = (this.milliseconds ?? 0) + milliseconds - this.since
    this.since = null
    for (const tell of this.told) tell()
  }

  /** Resolves when the guest went on, at the latest after so long. */
  async ended(atMost: number): Promise<void> {
    if (this.milliseconds !== null) return
    const stop = new AbortController()
    await Promise.race([
      new Promise<void>((resolve) => this.told.add(resolve)),
      delay(atMost, undefined, { signal: stop.signal }).catch(() => undefined),
    ])
    stop.abort()
  }
}
