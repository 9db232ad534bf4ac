import { setTimeout as delay } from 'node:timers/promises'
import { type AcceptedSync, kindsOfSync, type SyncReply, type SyncRequest } from '@hearth/contract'
import { backoff, toError } from '@hearth/foundation'
import type { Logger } from 'pino'
import type { Lease } from '../lease/lease.ts'
import type { Timings } from '../timings.ts'
import { KindSynchroniser, type SynchronisedKind } from './kind-synchroniser.ts'

export interface SyncTarget {
  requestSync(request: SyncRequest, timeoutMilliseconds: number): Promise<SyncReply>
}

export interface SynchroniserOptions {
  target: SyncTarget
  /** First the kind that every control plane knows; its reply says which other kinds this control plane knows. */
  kinds: readonly SynchronisedKind[]
  runnerId: string
  lease: Lease
  timings: Timings
  log: Logger
  /** Monotonic clock, in milliseconds. */
  now(): number
  /** A random number, at least 0 and below 1. */
  random(): number
}

/** Random variation of the interval, as a share of it. */
const spread = 0.2

/** Compares what is on the host with the full desired set: at once, at intervals, and on request. */
export class Synchroniser {
  private asked = false
  private wakeAll = false
  private sleep = new AbortController()
  private readonly kinds: readonly KindSynchroniser[]
  /** The kinds that the control plane did not know at the last synchronisation. */
  private unknown: readonly string[] = []

  constructor(private readonly options: SynchroniserOptions) {
    const ask = (page: Omit<SyncRequest, 'runnerId' | 'epoch'>) => this.ask(page)
    this.kinds = options.kinds.map((kind) => new KindSynchroniser(kind, { ...options, ask }))
  }

  /** Requests another synchronisation soon; after it everything is looked at and reported again. */
  again(): void {
    this.asked = true
    this.wakeAll = true
    this.sleep.abort()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { timings, random } = this.options
    while (!signal.aborted) {
      this.asked = false
      const wakeAll = this.wakeAll
      this.wakeAll = false
      await this.untilReplied(signal)
      if (wakeAll) for (const { inbox } of this.options.kinds) inbox.wakeAll()
      if (!this.asked) await this.rest(signal)
      if (this.asked) await pause(random() * timings.synchronisationSpread, signal)
    }
  }

  private async rest(signal: AbortSignal): Promise<void> {
    const { timings, random, now } = this.options
    const interval = timings.synchronisation * (1 + spread * (2 * random() - 1))
    const ends = this.kinds.flatMap(({ nextEnd }) => (nextEnd === null ? [] : [nextEnd]))
    const untilEnd = Math.max(0, Math.min(...ends) - now())
    this.sleep = new AbortController()
    await pause(Math.min(interval, untilEnd), AbortSignal.any([this.sleep.signal, signal]))
  }

  private async untilReplied(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.synchronise(signal)
        return
      } catch (thrown) {
        if (signal.aborted) return
        this.options.log.warn(
          { error: toError(thrown) },
          'synchronisation with the control plane failed; retrying',
        )
        const wait = backoff(attempt, { first: 250, most: Math.min(10_000, this.options.timings.retryMost) })
        await pause(wait, signal)
      }
    }
  }

  private async synchronise(signal: AbortSignal): Promise<void> {
    let known: readonly string[] = kindsOfSync({})
    for (const each of this.kinds) {
      if (signal.aborted) return
      if (!known.includes(each.kind)) continue
      const reply = await each.synchronise(signal)
      if (reply === null) return
      known = kindsOfSync(reply)
    }
    this.tellUnknown(known)
  }

  /** Work of a kind that the control plane does not know is left as it is, and logged once. */
  private tellUnknown(known: readonly string[]): void {
    const unknown = this.kinds.map(({ kind }) => kind).filter((kind) => !known.includes(kind))
    for (const kind of unknown.filter((each) => !this.unknown.includes(each)))
      this.options.log.warn(
        { kind },
        'the control plane does not know this kind of work: it is left as it is',
      )
    this.unknown = unknown
  }

  /** Resolves with null when the lease is lost. */
  private async ask(page: Omit<SyncRequest, 'runnerId' | 'epoch'>): Promise<AcceptedSync | null> {
    const { target, kinds, runnerId, lease, timings, now } = this.options
    const begunAt = now()
    const known = { kinds: kinds.map(({ handler }) => handler.messages.kind) }
    const request = { runnerId, epoch: lease.epoch, ...known, ...page }
    const reply = await target.requestSync(request, timings.synchronisationReply)
    if (reply.accepted) lease.confirm(begunAt)
    else lease.lose(refusal(reply))
    return reply.accepted ? reply : null
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}

function refusal(reply: Extract<SyncReply, { accepted: false }>): string {
  return reply.reason === 'superseded'
    ? `a newer agent registered for this runner (epoch ${reply.currentEpoch})`
    : 'the control plane does not know this runner any more'
}
