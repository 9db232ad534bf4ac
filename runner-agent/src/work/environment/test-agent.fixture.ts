import type { EnvironmentReport, LogChunk } from '@hearth/contract'
import { systemClock } from '@hearth/foundation'
import type { Guest } from '../../guest/guest.ts'
import { ExclusionScope } from '../../host/exclusion-scope.ts'
import { MachineStore } from '../../host/synthetic/machine-store.ts'
import type { SyntheticSettings } from '../../host/synthetic/settings.ts'
import { SyntheticGuest } from '../../host/synthetic/synthetic-guest.ts'
import { SyntheticHost } from '../../host/synthetic/synthetic-host.ts'
import { environmentInbox } from './inbox.fixture.ts'

export interface TestAgent {
  inbox: ReturnType<typeof environmentInbox>['inbox']
  host: SyntheticHost
  reports: EnvironmentReport[]
  chunks: LogChunk[]
  until(
    phase: EnvironmentReport['phase'],
    extra?: (report: EnvironmentReport) => boolean,
  ): Promise<EnvironmentReport>
  stop(): Promise<void>
}

export interface TestAgentOptions {
  folder: string
  runnerId: string
  /** PEM of the private key. */
  sealingKey: string
  settings?: Partial<SyntheticSettings>
  epoch?: number
  change?: (guest: Guest) => Guest
  /** Resolves when the report is stored; at once, if absent. */
  storeReport?: (report: EnvironmentReport) => Promise<void>
}

/** An agent's work on a synthetic host, without NATS. */
export function testAgent({
  folder,
  runnerId,
  sealingKey,
  settings = {},
  epoch = 1,
  change = (guest) => guest,
  storeReport = () => Promise.resolve(),
}: TestAgentOptions): TestAgent {
  const reports: EnvironmentReport[] = []
  const chunks: LogChunk[] = []
  const waiting = new Set<() => void>()
  const stopping = new AbortController()
  const closing = new AbortController()
  const world = {
    settings: {
      createMilliseconds: 1,
      bootMilliseconds: 1,
      stepMilliseconds: 5,
      freezeMilliseconds: 0,
      resumeMilliseconds: 0,
      readMilliseconds: 0,
      repositories: null,
      runsCommands: false,
      failures: {},
      ...settings,
    },
    clock: systemClock,
    random: Math.random,
  }
  const host = new SyntheticHost({
    ...world,
    machinesFolder: folder,
    layersFolder: `${folder}-layers`,
    volumesFolder: `${folder}-volumes`,
    exclusion: new ExclusionScope(`${folder}-locks`, folder),
    diskReserveBytes: 0,
    owner: runnerId,
    capacity: { virtualCpus: 1, memoryMebibytes: 1, diskGibibytes: 1 },
    images: ['debian-12'],
  })
  const store = new MachineStore(folder, runnerId)
  const { inbox, handler } = environmentInbox({
    host,
    openGuest: (machine) => change(new SyntheticGuest(machine, store, world)),
    runnerId,
    epoch,
    sealingKey,
    unkeptFailureMilliseconds: 100,
    stopping: stopping.signal,
    closing: closing.signal,
    onReport: (report) => {
      reports.push(report)
      for (const check of waiting) check()
      return storeReport(report)
    },
    onLog: (chunk) => chunks.push(chunk),
  })
  void handler.listen(inbox, stopping.signal)
  return {
    inbox,
    host,
    reports,
    chunks,
    until: (phase, extra = () => true) =>
      new Promise((resolve) => {
        const check = () => {
          const last = reports.at(-1)
          if (last?.phase !== phase || !extra(last)) return
          waiting.delete(check)
          resolve(last)
        }
        waiting.add(check)
        check()
      }),
    stop: async () => {
      stopping.abort()
      await inbox.settle()
      closing.abort()
    },
  }
}
