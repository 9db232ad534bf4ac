import { setTimeout as delay } from 'node:timers/promises'
import type { Failure, OrderEnvelope } from '@hearth/contract'
import { assertNever, backoff, toError } from '@hearth/foundation'
import { type Authority, StaleAuthority } from '../host/authority.ts'
import { LeaseNotHeld } from '../lease/lease.ts'
import { UnkeptFailure } from './unkept-failure.ts'
import type { CommonStep, Failed, Rest, Task, Work, WorkHandler } from './work.ts'
import type { WorkContext } from './work-context.ts'

/** Phases that others wait for. */
const reached: ReadonlySet<string> = new Set(['running', 'stopped', 'suspended', 'present'])

/** Brings one resource to the state in its newest order: look, take one step, look again. */
export class Worker<Order extends OrderEnvelope, TheWork extends Work<Order>> implements Task<Order> {
  readonly work: TheWork
  private running: Promise<void> | null = null
  private again = false
  private retired = false
  private interrupt = new AbortController()
  private unkept: UnkeptFailure | null = null
  private sent: { phase: string; failure: Failure | null } | null = null
  private storedSequence = 0

  constructor(
    private newest: Order,
    private readonly handler: WorkHandler<Order, TheWork>,
    private readonly context: WorkContext,
    /** The worker starts after this promise has settled. */
    private readonly before: Promise<unknown>,
    /** Called when the resource is deleted and that report is stored. */
    private readonly forget: () => void,
  ) {
    this.work = handler.begin(this)
  }

  get order(): Order {
    return this.newest
  }

  get authority(): Authority {
    return this.context.lease.authority(this.newest.generation)
  }

  get interrupted(): AbortSignal {
    return this.interrupt.signal
  }

  get isOver(): boolean {
    return this.retired || this.context.stopping.aborted
  }

  /** Sequence of the last stored report; 0 before the first. */
  get reported(): number {
    return this.storedSequence
  }

  interruption(): (reason: Error) => void {
    const { interrupt } = this
    return (reason) => interrupt.abort(reason)
  }

  report(phase: string): void {
    // Whoever waits for it learns of it although more is to be done.
    const isReached = reached.has(phase) && this.sent?.phase !== phase
    void this.send(phase, null, isReached ? 'result' : 'progress')
  }

  /** Takes a newer order; the same order again changes nothing. */
  take(order: Order): void {
    const isNews = order.generation !== this.newest.generation || !this.handler.asksSame(this.newest, order)
    this.newest = order
    this.work.heard?.(order)
    if (!isNews) return
    this.unkept = null
    this.interrupt.abort(new Error('a newer order came'))
    this.wake()
  }

  /** Repeats the last report with the current details; also while a step is running. */
  tellAgain(): void {
    if (this.sent !== null && !this.isOver) void this.send(this.sent.phase, this.sent.failure)
  }

  /** Looks again, now or as soon as the current step has ended. */
  wake(): void {
    this.again = true
    if (this.running !== null || this.isOver) return
    this.running = this.loop().finally(() => {
      this.running = null
      if (this.again && !this.isOver) this.wake()
    })
  }

  /** Takes no further step and resolves when the current one has ended. Steps detached in the guest go on running. */
  async settle(): Promise<void> {
    this.retired = true
    this.interrupt.abort(new Error('nothing more is to be done'))
    await this.running
    this.work.letGo()
  }

  private async loop(): Promise<void> {
    await this.before
    for (let failures = 0; this.again && !this.isOver; ) {
      this.again = false
      this.interrupt = new AbortController()
      try {
        await this.lookAndStep()
        failures = 0
        this.unkept = null
      } catch (thrown) {
        this.again = true
        if (thrown instanceof LeaseNotHeld) continue
        this.context.log.error({ ...this.name, error: toError(thrown) }, 'host operation failed; retrying')
        this.tellUnkept()
        const wait = backoff(failures, { first: 500, most: this.context.retryMostMilliseconds })
        failures += 1
        await delay(wait, undefined, { signal: this.context.stopping }).catch(() => undefined)
      }
    }
  }

  private async lookAndStep(): Promise<void> {
    const { lease, log, stopping } = this.context
    await lease.untilHeld(stopping)
    if (this.isOver) return
    const seen = await this.work.look()
    if (this.unkept?.isTold === true && !this.handler.isRemoval(this.newest))
      return this.keepTold(this.unkept)
    const step = this.work.next(this.newest, seen)
    log.debug({ ...this.name, step: step.kind }, 'next step')
    try {
      const failed = await this.takeStep(step, seen)
      if (failed !== null) await this.fail(failed)
    } catch (thrown) {
      if (thrown instanceof LeaseNotHeld) throw thrown
      if (thrown instanceof StaleAuthority) {
        if (thrown.shown.epoch > lease.epoch)
          lease.lose(`of the ${this.newest.kind} ${this.newest.id}, ${thrown.message}`)
        throw thrown
      }
      this.again = true
      if (this.interrupt.signal.aborted || this.isOver) return
      const failed = await this.work.failed(thrown)
      if (failed !== null) await this.fail(failed)
    }
  }

  private async takeStep(step: { kind: string }, seen: unknown): Promise<Failed | null> {
    if (!isCommon(step)) {
      this.again = true
      return this.work.take(step, seen)
    }
    switch (step.kind) {
      case 'rest':
        await this.rest(step)
        return null
      case 'refuse':
        this.context.log.warn({ ...this.name, reason: step.reason }, 'order refused')
        if (step.superseded) this.context.lease.lose(step.reason)
        return null
      case 'fail':
        return step
      default:
        return assertNever(step)
    }
  }

  private async rest(step: Rest): Promise<void> {
    this.work.letGo()
    const stored = this.send(step.phase, step.failure)
    if (step.phase !== 'deleted') return
    // Nobody may store it: of a removed runner, say. A newer order and the end of the agent do not wait for it.
    await Promise.race([stored, aborted(this.interrupt.signal)])
    if (!this.interrupt.signal.aborted && !this.again && !this.isOver) this.forget()
  }

  private async fail(failed: Failed): Promise<void> {
    const { failure } = failed
    const kept = this.work.record
    this.context.log.warn({ ...this.name, failure }, 'work failed')
    const before = kept.open()
    this.again = true
    try {
      await this.work.keepFailure(failed)
    } catch (thrown) {
      const { record } = kept
      kept.replace(before)
      if (thrown instanceof LeaseNotHeld || thrown instanceof StaleAuthority || record === null) throw thrown
      this.unkept = new UnkeptFailure(record, failure, this.unkept?.since ?? this.context.now())
      throw thrown
    }
  }

  private tellUnkept(): void {
    const { unkept, context } = this
    if (unkept?.isToBeTold(context.now(), context.unkeptFailureMilliseconds) !== true) return
    this.work.record.replace(unkept.record)
    void this.send('failed', unkept.failure)
  }

  private async keepTold({ record }: UnkeptFailure): Promise<void> {
    this.again = true
    this.work.record.replace(record)
    await this.work.record.keep()
  }

  private async send(
    phase: string,
    failure: Failure | null,
    worth: 'progress' | 'result' = 'result',
  ): Promise<void> {
    this.sent = { phase, failure }
    const { kind, id, generation } = this.newest
    const body = this.work.report(phase, failure)
    this.storedSequence = await this.context.reporter.report({ kind, id, generation, ...body }, worth)
  }

  /** Fields for the log. */
  private get name() {
    const { kind, id } = this.newest
    return { kind, id }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const common: ReadonlySet<string> = new Set<CommonStep['kind']>(['rest', 'refuse', 'fail'])

/** No kind of work uses these names for steps of its own. */
function isCommon(step: { kind: string }): step is CommonStep {
  return common.has(step.kind)
}
