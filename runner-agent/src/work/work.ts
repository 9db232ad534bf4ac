import type { Failure, OrderEnvelope, ReportEnvelope, WorkMessages } from '@hearth/contract'
import type { Authority } from '../host/authority.ts'

/** Nothing to do, until an order comes or something changes by itself. */
export interface Rest<Phase extends string = string> {
  kind: 'rest'
  phase: Phase
  failure: Failure | null
}
/** Nothing and no report: the order, or the lease it came under, is older than what the host shows. */
export interface Refuse {
  kind: 'refuse'
  reason: string
  /** Another agent acts for this runner. */
  superseded: boolean
}
/** It cannot go on: the failure is kept, so that the next look finds it. */
export interface Fail {
  kind: 'fail'
  failure: Failure
}
/** What there is to do in every kind of work. */
export type CommonStep<Phase extends string = string> = Rest<Phase> | Refuse | Fail

/** How a step failed. Kinds add what they need to keep it. */
export interface Failed {
  failure: Failure
}

/** What is kept beside the thing that is worked on, so that a new agent process knows how far the old one came. */
export interface KeptRecord {
  /** As this process knows it; null where there is none. */
  readonly record: object | null
  /** The record; a new one where work only begins. */
  open(): object
  replace(record: object | null): void
  keep(): Promise<void>
}

/** What is done about one order, and what is held between the steps. Made by its kind, driven by a worker. */
export interface Work<Order extends OrderEnvelope = OrderEnvelope> {
  readonly record: KeptRecord
  /** What there is by now: asked before each step. Brings the record to what is kept. */
  look(): Promise<unknown>
  /** One thing to do. Decides purely: the same order and the same sight always give the same step. */
  next(order: Order, seen: unknown): { kind: string }
  /** Does it; after that, everything is looked at again. Resolves with how it failed, or null. */
  take(step: { kind: string }, seen: unknown): Promise<Failed | null>
  /** How a step failed that threw; null where the next look tells more. */
  failed(thrown: unknown): Promise<Failed | null>
  /** Keeps the failure in the record. */
  keepFailure(failed: Failed): Promise<void>
  /** What a report says beside whose it is. */
  report(phase: string, failure: Failure | null): ReportBody
  /** Gives back what it holds between the steps. */
  letGo(): void
}

export type ReportBody = Pick<ReportEnvelope, 'phase' | 'failure'>

/** What a worker gives to the work that it drives. */
export interface Task<Order extends OrderEnvelope = OrderEnvelope> {
  /** The newest. */
  readonly order: Order
  readonly authority: Authority
  /** Aborts when something newer is to be done than the step being taken. */
  readonly interrupted: AbortSignal
  /** Nothing more is to be begun. */
  readonly isOver: boolean
  report(phase: string): void
  /** What ends the step being taken now, and no later one. */
  interruption(): (reason: Error) => void
}

/** What the host shows of a thing, with the numbers it was worked on under. */
export interface InventoryItem {
  id: string
  /** The runner that it proves to be of. */
  owner: string
  epoch: number
  generation: number
}

/** The workers of one kind, by the id of what they work on. */
export interface Workers<TheWork> {
  worker(id: string):
    | {
        readonly work: TheWork
        /** Looks again, now or as soon as the step being taken is over. */
        wake(): void
        /** Reports once more what was reported last, with what is known by now. */
        tellAgain(): void
      }
    | undefined
}

/** One kind of work: all that the agent knows of it. */
export interface WorkHandler<
  Order extends OrderEnvelope = OrderEnvelope,
  TheWork extends Work<Order> = Work<Order>,
> {
  readonly messages: WorkMessages<Order>
  /** Begins to work on something of which an order came. */
  begin(task: Task<Order>): TheWork
  /** Whether two orders of one generation ask for the same. */
  asksSame(before: Order, after: Order): boolean
  /** Whether nothing is to be left. */
  isRemoval(order: Order): boolean
  /** What is on the host and says whose it is. */
  inventory(): Promise<InventoryItem[]>
  /** Removes something that is wanted no more. */
  remove(id: string, authority: Authority): Promise<void>
  /** Until the signal aborts: has the inbox know what changes by itself. */
  listen(workers: Workers<TheWork>, signal: AbortSignal): Promise<void>
  /** What whoever looks at the host should know, each in a sentence. */
  readonly warnings: readonly string[]
}
