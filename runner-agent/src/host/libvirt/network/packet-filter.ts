import { toError } from '@hearth/foundation'
import type { CommandRunner } from '../../command/command-runner.ts'
import { buildRuleset, type GuestLimits, type RulesetDescription, removalOf } from './ruleset.ts'

/**
 * The packet filter rules for one runner's guests. They exist while there are guests, even when the agent is not
 * running; when somebody removes them, the next look at the host restores them.
 */
export class PacketFilter {
  private readonly limits = new Map<number, GuestLimits>()
  private applied: string | null = null
  /** One change at a time: each replaces the whole table. */
  private queue: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly runner: CommandRunner,
    private readonly describe: () => Promise<Omit<RulesetDescription, 'limits'>>,
    private readonly table: string,
  ) {}

  /** Limits what a user may send, from the next `ensure` on; null for no limit. */
  limit(user: number, limits: GuestLimits | null): void {
    if (limits === null) this.limits.delete(user)
    else this.limits.set(user, limits)
  }

  /** Resolves with the reason why the rules cannot be applied; null when they are in place. */
  ensure(): Promise<string | null> {
    return this.alone(async () => {
      const wanted = buildRuleset({ ...(await this.describe()), limits: this.limits })
      if (wanted === this.applied && (await this.stands())) return null
      const fault = await this.nft(['-f', '-'], wanted)
      this.applied = fault === null ? wanted : null
      return fault
    })
  }

  /** Removes the rules when no machine needs them any more. */
  remove(): Promise<void> {
    return this.alone(async () => {
      this.applied = null
      await this.nft(['-f', '-'], removalOf(this.table))
    })
  }

  private async stands(): Promise<boolean> {
    return (await this.nft(['list', 'chain', 'inet', this.table, 'output'], '')) === null
  }

  private async nft(parameters: string[], input: string): Promise<string | null> {
    const script = 'PATH="$PATH:/usr/sbin:/sbin"; exec nft "$@"'
    try {
      const result = await this.runner.run(['sh', '-c', script, 'sh', ...parameters], { input })
      if (result.exitCode === 0) return null
      if (result.exitCode === 127) return 'nft is not installed: apt-get install nftables'
      return `nft: ${result.stderr.trim().split('\n')[0]?.slice(0, 200)}`
    } catch (thrown) {
      return toError(thrown).message
    }
  }

  private alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(act)
    this.queue = turn.catch(() => undefined)
    return turn
  }
}
