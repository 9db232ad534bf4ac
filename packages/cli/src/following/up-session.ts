import { basename, resolve } from 'node:path'
import type { CallOptions, HearthClient } from '@hearth/client'
import { Deadline, toError } from '@hearth/foundation'

/** How long the control plane waits for a word of this command, in seconds, and how often it is given in that time. */
const leaseSeconds = 60
const wordsPerLease = 3
const mostErrorCharacters = 1_000
/** No longer is the command kept waiting by a word of it. */
const patienceMilliseconds = 5_000

/**
 * The session of one `hearth up`, by which others see what it does. It is for them: where there can be none, or a word of it
 * is lost, the command goes on all the same.
 */
export class UpSession implements AsyncDisposable {
  private readonly renewing: NodeJS.Timeout | null

  private constructor(
    private readonly client: HearthClient,
    private readonly id: string | null,
    /** What reads the file is a target of its own. */
    private readonly reading: string,
  ) {
    const renew = () =>
      void this.tell((open, options) => client.sessions.renew(open, { leaseSeconds }, options))
    this.renewing = id === null ? null : setInterval(renew, (leaseSeconds * 1_000) / wordsPerLease).unref()
  }

  static async open(client: HearthClient, file: string): Promise<UpSession> {
    const spec = { file: file === '-' ? file : resolve(file), exitCondition: 'manual' as const }
    const body = { spec, processId: process.pid, leaseSeconds }
    const opened = await inTime((options) => client.sessions.create(body, options))
    const session = new UpSession(client, opened?.metadata.id ?? null, `(${basename(file)}):update`)
    await session.report({ kind: 'active' })
    return session
  }

  /** Applies the file; the pools and prebuilds of the project that it has are targets from then on. */
  async applying<Applied extends { projectId: string }>(apply: () => Promise<Applied>): Promise<Applied> {
    try {
      const applied = await apply()
      const spec = { project: applied.projectId }
      await this.tell((id, options) => this.client.sessions.update(id, { spec }, options))
      await this.report({ kind: 'terminated' })
      return applied
    } catch (error) {
      await this.report({ kind: 'terminated', error: toError(error).message.slice(0, mostErrorCharacters) })
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.renewing !== null) clearInterval(this.renewing)
    await this.tell((id, options) => this.client.sessions.end(id, options))
  }

  private report(state: { kind: 'active' } | { kind: 'terminated'; error?: string }): Promise<void> {
    const targets = [{ name: this.reading, state }]
    return this.tell((id, options) => this.client.sessions.report(id, targets, options))
  }

  private async tell(word: (id: string, options: CallOptions) => Promise<unknown>): Promise<void> {
    const { id } = this
    if (id !== null) await inTime((options) => word(id, options))
  }
}

/** The answer; null where it fails or does not come in time. */
async function inTime<Answer>(ask: (options: CallOptions) => Promise<Answer>): Promise<Answer | null> {
  using deadline = new Deadline(patienceMilliseconds)
  return await ask({ signal: deadline.signal }).catch(() => null)
}
