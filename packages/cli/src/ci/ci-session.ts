import { clearInterval, setInterval } from 'node:timers'
import type { Session } from '@hearth/contract'
import type { View } from '../kinds/kind.ts'

/** How long the control plane waits for a word of this command, in seconds, and how often it is given in that time. */
const leaseSeconds = 60
const wordsPerLease = 3

/** What happens on this side, in order. */
const ciSteps = ['machine', 'commit', 'tasks'] as const
type CiStep = (typeof ciSteps)[number]

const targetOf = (name: CiStep) => ({ name: `${name}:update`, type: 'job' as const, resources: [name] })

/** The session of one `hearth ci`, as others see it. What is told of it is for them: a word that is lost ends nothing. */
export class CiSession implements Disposable {
  private readonly timer: NodeJS.Timeout

  private constructor(
    private readonly view: Pick<View, 'client' | 'signal'>,
    readonly session: Session,
    now: () => Date,
  ) {
    this.now = now
    const { id } = session.metadata
    this.timer = setInterval(
      () => void view.client.sessions.renew(id, { leaseSeconds }).catch(() => undefined),
      (leaseSeconds * 1_000) / wordsPerLease,
    )
    this.timer.unref()
  }

  private readonly now: () => Date

  static async open(
    view: Pick<View, 'client' | 'signal'>,
    spec: { file: string; project: string; timeoutSeconds: number },
    now: () => Date,
  ): Promise<CiSession> {
    const session = await view.client.sessions.create(
      {
        spec: {
          file: spec.file,
          project: spec.project,
          exitCondition: 'ci',
          ci: { timeoutSeconds: spec.timeoutSeconds },
        },
        processId: process.pid,
        leaseSeconds,
      },
      { signal: view.signal },
    )
    const opened = new CiSession(view, session, now)
    // It is not done before all of them are.
    await opened.tell(
      ...ciSteps.map((name) => ({
        ...targetOf(name),
        state: { kind: 'waiting' as const, reason: 'queued' as const },
      })),
    )
    return opened
  }

  /** Has the tasks and services of a machine among its targets. */
  async isAbout(environmentId: string): Promise<void> {
    const { client, signal } = this.view
    await client.sessions.update(
      this.session.metadata.id,
      { spec: { environment: environmentId } },
      { signal },
    )
  }

  /** Does something that happens on this side, as a target of the session. */
  async step<Result>(name: CiStep, work: () => Promise<Result>): Promise<Result> {
    const startedAt = this.now().toISOString()
    const target = targetOf(name)
    await this.tell({ ...target, state: { kind: 'active', startedAt, ready: false } })
    const end = (error: string | null) =>
      this.tell({
        ...target,
        state: { kind: 'terminated', startedAt, finishedAt: this.now().toISOString(), error },
      })
    try {
      const result = await work()
      await end(null)
      return result
    } catch (error) {
      await end(error instanceof Error ? error.message.slice(0, 1_000) || error.name : String(error))
      throw error
    }
  }

  /** It goes on without this command. */
  async leave(): Promise<void> {
    const { client, signal } = this.view
    await client.sessions.update(this.session.metadata.id, { spec: { detached: true } }, { signal })
  }

  async end(): Promise<void> {
    await this.view.client.sessions.end(this.session.metadata.id).catch(() => undefined)
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private async tell(...targets: TargetReports): Promise<void> {
    await this.view.client.sessions.report(this.session.metadata.id, targets).catch(() => undefined)
  }
}

type TargetReports = Parameters<View['client']['sessions']['report']>[1]
