import type { HearthClient } from '@hearth/client'
import type { Environment } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { CrowdNews, crowdLines, mostOneByOne, slowestText } from '../output/crowd-lines.ts'
import { failureText } from '../output/describe.ts'
import { withLastLines } from '../output/environment-failure.ts'
import { changeLines, environmentLines } from '../output/environment-lines.ts'
import { type ProgressTask, type Report, runTasks } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { judgePool, type PoolState, type PoolVerdict } from './pool-state.ts'
import { PoolWatch } from './pool-watch.ts'

export interface FollowedPool {
  id: string
  title: string
}

/**
 * Shows pools and their members live until each is ready or has failed. Throws with the step, the cause and the last
 * lines of output when one has failed.
 */
export async function followPools(
  client: HearthClient,
  pools: readonly FollowedPool[],
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<PoolState[]> {
  const { terminal, clock, signal } = options
  if (pools.length === 0) return []
  const watch = new PoolWatch(
    client,
    pools.map(({ id }) => id),
  )
  const followed = new Map(pools.map(({ id }) => [id, new PoolProgress(terminal, clock)]))
  const watching = watch.follow(signal, (states) => {
    for (const state of states) followed.get(state.pool.metadata.id)?.see(state)
    return states.length === pools.length && states.every((state) => judgePool(state).phase !== 'waiting')
  })
  const tasks: ProgressTask[] = pools.map(({ id, title }) => ({
    title,
    work: async (report) => (await followed.get(id)?.show(title, report, watching)) ?? title,
  }))
  const [shown] = await Promise.allSettled([runTasks(terminal, tasks, { concurrent: true }), watching])
  await watching
  const failures = watch.states().flatMap((state) => failureLines(state, judgePool(state), terminal))
  if (failures.length > 0) throw new CommandError(failures.join('\n'), exitCodes.failure)
  if (shown.status === 'rejected') throw shown.reason
  return watch.states()
}

/** What is displayed for one pool. */
class PoolProgress {
  readonly #terminal: Terminal
  readonly #clock: Clock
  readonly #seen = new Map<string, Environment>()
  readonly #crowd = new CrowdNews()
  readonly #verdict: Promise<PoolVerdict>
  #decide: (verdict: PoolVerdict) => void = () => undefined
  #report: Report | null = null
  #state: PoolState | null = null
  /** The quota for which the pool was last reported to wait. */
  #shortOf: string | null = null

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal
    this.#clock = clock
    this.#verdict = new Promise((resolve) => {
      this.#decide = resolve
    })
  }

  see(state: PoolState): void {
    this.#state = state
    for (const line of this.#news(state)) this.#report?.event(line)
    this.#tellQuota(state)
    this.#draw()
    const verdict = judgePool(state)
    if (verdict.phase !== 'waiting') this.#decide(verdict)
  }

  #news(state: PoolState): string[] {
    if (isCrowd(state)) return this.#crowd.see(state.environments, state.pool.status.desiredSize)
    return state.environments.flatMap((environment) => {
      const before = this.#seen.get(environment.metadata.id)
      this.#seen.set(environment.metadata.id, environment)
      return changeLines(before, environment)
    })
  }

  /** Reported once per quota: nobody should wait without knowing for what. */
  #tellQuota({ pool: { status } }: PoolState): void {
    if (this.#report === null) return
    const { quota } = status
    if (quota !== null && quota.quota !== this.#shortOf)
      this.#report.event(
        `it makes no more: quota ${quota.quota} is ${quota.use} of ${quota.limit}; it goes on when there is room (hearth quota)`,
      )
    this.#shortOf = quota?.quota ?? null
  }

  async show(title: string, report: Report, watching: Promise<void>): Promise<string> {
    this.#report = report
    // Elapsed times grow between events, too.
    const ticking = setInterval(() => this.#draw(), 1_000)
    try {
      await Promise.race([this.#verdict, watching])
      const { pool } = this.#state ?? {}
      const count = pool === undefined ? '' : `: ${pool.status.ready} of ${pool.status.desiredSize} ready`
      const slowest =
        this.#state !== null && isCrowd(this.#state) ? slowestText(this.#state.environments) : null
      if (slowest !== null) report.event(slowest)
      if ((await this.#verdict).phase === 'failed') throw new Error(`${title} failed`)
      return `${title}${count}`
    } finally {
      clearInterval(ticking)
    }
  }

  #draw(): void {
    if (this.#state === null) return
    const { environments, pool } = this.#state
    const now = this.#clock.now()
    const text = isCrowd(this.#state)
      ? crowdLines(environments, pool.status.desiredSize, this.#terminal, now)
      : environmentLines(environments, this.#terminal, now)
    this.#report?.state(text)
  }
}

function isCrowd({ pool, environments }: PoolState): boolean {
  return Math.max(pool.status.desiredSize, environments.length) > mostOneByOne
}

function failureLines({ pool }: PoolState, verdict: PoolVerdict, terminal: Terminal): string[] {
  if (verdict.phase !== 'failed') return []
  const { failure, environment } = verdict
  const who =
    environment === null ? `warm pool ${pool.metadata.name}` : `environment ${environment.metadata.name}`
  if (failure === null) return [`${who}: ${pool.status.phase}`]
  return [`${who}:`, failureText(terminal, withLastLines(failure, environment))]
}
