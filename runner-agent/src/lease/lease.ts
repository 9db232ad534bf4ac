import type { Authority } from '../host/authority.ts'

/** Nothing may be done just now: the lease is over or has not been confirmed again. */
export class LeaseNotHeld extends Error {
  override readonly name = 'LeaseNotHeld'
}

export interface LeaseOptions {
  epoch: number
  /** How long it holds after the last contact. */
  milliseconds: number
  /** The newest epoch under which anyone has acted for this runner on this host. */
  newestEpoch(): Promise<number>
  /** Milliseconds that only rise. */
  now(): number
}

/**
 * The right to act for a runner. It holds for a while after each contact; once that has passed, only an answered
 * synchronisation brings it back, since another agent may have the runner by then. Once lost it is lost for good.
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

  /** Aborts when the lease is lost; its reason says why. */
  get lost(): AbortSignal {
    return this.loss.signal
  }

  get hasLapsed(): boolean {
    return this.options.now() - this.contactAt >= this.options.milliseconds
  }

  /** There was contact, begun at the given time: prolongs a lease that has not lapsed. */
  prolong(begunAt: number): void {
    if (!this.hasLapsed) this.contactAt = Math.max(this.contactAt, begunAt)
  }

  /** The control plane has answered as to the one who holds it. */
  confirm(begunAt: number): void {
    this.contactAt = Math.max(this.contactAt, begunAt)
    if (this.hasLapsed) return
    for (const go of this.waiting) go()
  }

  lose(reason: string): void {
    this.loss.abort(new Error(reason))
  }

  /** Rejects with LeaseNotHeld when nothing may be done. Notices a newer agent on this host. */
  async assertHeld(): Promise<void> {
    this.assertNotOver()
    const newest = await this.options.newestEpoch()
    if (newest > this.epoch) this.lose(`an agent with the lease of epoch ${newest} acts on this host`)
    this.assertNotOver()
  }

  /** Resolves once something may be done; rejects when the signal aborts or the lease is lost. */
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

  /** What is done in the name of this lease and of an order. */
  authority(generation: number): Authority {
    return { epoch: this.epoch, generation, assertHeld: () => this.assertHeld() }
  }

  private assertNotOver(): void {
    if (this.lost.aborted) throw new LeaseNotHeld('the lease is lost', { cause: this.lost.reason })
    if (this.hasLapsed) throw new LeaseNotHeld('the lease has lapsed')
  }
}
