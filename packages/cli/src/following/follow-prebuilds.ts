import type { HearthClient } from '@hearth/client'
import {
  type Environment,
  type Event,
  environmentSchema,
  type Prebuild,
  prebuildSchema,
  type Snapshot,
  snapshotSchema,
} from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { phaseTone } from '../output/phase-tone.ts'
import { type ProgressTask, type Report, runTasks } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { followUntil } from './follow-until.ts'
import { isNewer } from './pool-state.ts'
import { hasPrebuildEnded, type PrebuildState, prebuildChanges, prebuildStage } from './prebuild-state.ts'

/** Shows prebuilds with their steps live until each has ended, well or not; returns them as they are then. */
export async function followPrebuilds(
  client: HearthClient,
  prebuilds: readonly Prebuild[],
  { terminal, clock, signal }: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Prebuild[]> {
  const followed = prebuilds.map((prebuild) => new FollowedPrebuild(client, prebuild, terminal, clock))
  const watching = followUntil(client, {
    signal,
    read: async (reading) => {
      await Promise.all(followed.map((one) => one.read(reading)))
      return followed.every((one) => one.hasEnded())
    },
    take: (event) => {
      for (const one of followed) one.take(event)
      return followed.every((one) => one.hasEnded())
    },
  })
  const tasks: ProgressTask[] = followed.map((one) => ({
    title: one.title,
    work: (report) => one.show(report, watching),
  }))
  // That a prebuild failed is a result; what ends the following is thrown.
  await Promise.allSettled([runTasks(terminal, tasks, { concurrent: true }), watching])
  await watching
  return followed.map(({ state }) => state.prebuild)
}

class FollowedPrebuild {
  readonly title: string
  state: PrebuildState
  private told: PrebuildState | null = null
  private report: Report | null = null
  private end: () => void = () => undefined
  private readonly ended: Promise<void>

  constructor(
    private readonly client: HearthClient,
    prebuild: Prebuild,
    private readonly terminal: Terminal,
    private readonly clock: Clock,
  ) {
    this.title = `prebuild ${prebuild.metadata.name}`
    this.state = { prebuild, environment: null, snapshot: null }
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  hasEnded(): boolean {
    return hasPrebuildEnded(this.state)
  }

  async read(signal: AbortSignal): Promise<void> {
    const prebuild = await this.client.prebuilds.get(this.state.prebuild.metadata.id, { signal })
    this.change({ prebuild })
    const { environmentId, snapshotId } = prebuild.status
    if (this.hasEnded()) return
    if (environmentId !== null)
      this.change({ environment: await this.client.environments.get(environmentId, { signal }) })
    if (snapshotId !== null)
      this.change({ snapshot: await this.client.snapshots.get(snapshotId, { signal }) })
  }

  take({ kind, resource }: Event): void {
    const { metadata, status } = this.state.prebuild
    if (kind === 'Prebuild') {
      const parsed = prebuildSchema.safeParse(resource)
      if (parsed.data?.metadata.id === metadata.id) this.change({ prebuild: parsed.data })
    } else if (kind === 'Environment') {
      const parsed = environmentSchema.safeParse(resource)
      if (parsed.data?.metadata.id === status.environmentId) this.change({ environment: parsed.data })
    } else if (kind === 'Snapshot') {
      const parsed = snapshotSchema.safeParse(resource)
      if (parsed.data?.metadata.id === status.snapshotId) this.change({ snapshot: parsed.data })
    }
  }

  async show(report: Report, watching: Promise<void>): Promise<string> {
    this.report = report
    this.tell()
    // Elapsed times grow between events, too.
    const ticking = setInterval(() => this.draw(), 1_000)
    try {
      await Promise.race([this.ended, watching])
    } finally {
      clearInterval(ticking)
    }
    const { phase } = this.state.prebuild.status
    if (phase !== 'completed') throw new Error(`${this.title}: ${phase}`)
    return `${this.title}: ${phase}`
  }

  private change(
    change: { prebuild: Prebuild } | { environment: Environment } | { snapshot: Snapshot },
  ): void {
    const before = this.state
    this.state = { ...before, ...change }
    // Events and reads may arrive in any order.
    if (!isNewer(this.state.prebuild, before.prebuild)) this.state.prebuild = before.prebuild
    const { environment, snapshot } = before
    if (
      environment !== null &&
      this.state.environment !== null &&
      !isNewer(this.state.environment, environment)
    )
      this.state.environment = environment
    if (snapshot !== null && this.state.snapshot !== null && !isNewer(this.state.snapshot, snapshot))
      this.state.snapshot = snapshot
    this.tell()
    if (this.hasEnded()) this.end()
  }

  private tell(): void {
    if (this.report === null) return
    for (const line of prebuildChanges(this.told, this.state)) this.report.event(line)
    this.told = this.state
    this.draw()
  }

  private draw(): void {
    const { prebuild } = this.state
    const stage = prebuildStage(this.state, this.clock.now())
    this.report?.state(this.terminal.tone(phaseTone(prebuild.status.phase), stage))
  }
}
