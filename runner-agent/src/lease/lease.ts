import type { Authority } from '../host/authority.ts'

/** The agent must not act now: the lease has expired or was not confirmed again yet. */
export class LeaseNotHeld extends Error {
  override readonly name = 'LeaseNotHeld'
}

export interface LeaseOptions {
  epoch: number
  /** How long the lease lasts after the last contact, in milliseconds. */
  milliseconds: number
  /** The newest epoch under which an agent has acted for this runner on this host. */
  newestEpoch(): Promise<number>
  /** Monotonic clock, in milliseconds. */
  now(): number
}

/**
 * The right to act for a runner. It lasts for some time after each contact; once it has lapsed, only an answered
 * synchronisation restores it, since another agent may have the runner by then. A lost lease stays lost.
 */
export class Lease {
  private contactAt: number
  private readonly waiting = new Set<() => void>()
  private readonly loss = new AbortController()

  constructor(private readonly options: LeaseOptions) {
    this.contactAt = options.now()
  }

  get epoch(): number {
    return this.options.epoch
  }

  /** Aborts when the lease is lost; the signal's reason says why. */
  get lost(): AbortSignal {
    return this.loss.signal
  }

  get hasLapsed(): boolean {
    return this.options.now() - this.contactAt >= this.options.milliseconds
  }

  /** Notes a contact that began at the given time: prolongs a lease that has not lapsed. */
  prolong(begunAt: number): void {
    if (!this.hasLapsed) this.contactAt = Math.max(this.contactAt, begunAt)
  }

  /** Notes that the control plane has confirmed this agent as the holder. */
  confirm(begunAt: number): void {
    this.contactAt = Math.max(this.contactAt, begunAt)
    if (this.hasLapsed) return
    for (const go of this.waiting) go()
  }

  lose(reason: string): void {
    this.loss.abort(new Error(reason))
  }

  /** Rejects with LeaseNotHeld when the agent must not act. Notices a newer agent on this host. */
  async assertHeld(): Promise<void> {
    this.assertNotOver()
    const newest = await this.options.newestEpoch()
    if (newest > this.epoch) this.lose(`an agent with the lease of epoch ${newest} acts on this host`)
    this.assertNotOver()
  }

  /** Resolves once the agent may act; rejects when the signal aborts or the lease is lost. */
  async untilHeld(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.lost])
    while (this.hasLapsed) {
      either.throwIfAborted()
      await new Promise<void>((resolve) => {
        const go = () => {
          this.waiting.delete(go)
          either.removeEventListener('abort', go)
          resolve()
        }
        this.waiting.add(go)
        either.addEventListener('abort', go)
      })
    }
    await this.assertHeld()
  }

  /** The authority of this lease and of an order's generation. */
  authority(generation: number): Authority {
    return { epoch: this.epoch, generation, assertHeld: () => this.assertHeld() }
  }

  private assertNotOver(): void {
    if (this.lost.aborted) throw new LeaseNotHeld('the lease is lost', { cause: this.lost.reason })
    if (this.hasLapsed) throw new LeaseNotHeld('the lease has lapsed')
  }
}
