import type { Failure, OrderEnvelope, ReportEnvelope, WorkMessages } from '@hearth/contract'
import type { Authority } from '../host/authority.ts'

/** Nothing to do until an order arrives or something changes by itself. */
export interface Rest<Phase extends string = string> {
  kind: 'rest'
  phase: Phase
  failure: Failure | null
}
/** The order is not carried out and nothing is reported: the order or its lease is older than what the host shows. */
export interface Refuse {
  kind: 'refuse'
  reason: string
  /** Whether another agent acts for this runner. */
  superseded: boolean
}
/** The work cannot continue: the failure is stored, so that the next look finds it. */
export interface Fail {
  kind: 'fail'
  failure: Failure
}
/** The steps that every kind of work has. */
export type CommonStep<Phase extends string = string> = Rest<Phase> | Refuse | Fail

/** How a step failed. A kind of work adds what it needs to store the failure. */
export interface Failed {
  failure: Failure
}

/** Progress stored beside the resource, so that a new agent process continues where the old one stopped. */
export interface KeptRecord {
  /** The record as this process knows it; null where there is none. */
  readonly record: object | null
  /** The record; a new one when the work begins. */
  open(): object
  replace(record: object | null): void
  keep(): Promise<void>
}

/**
 * The work on one order, and the state held between its steps. Created by the handler of its kind, driven by a
 * worker.
 */
export interface Work<Order extends OrderEnvelope = OrderEnvelope> {
  readonly record: KeptRecord
  /** Takes note of a newer order at once, also while a step is running. */
  heard?(order: Order): void
  /** Reads the current state of the host before each step, and loads the stored record. */
  look(): Promise<unknown>
  /**
   * Chooses the next step. A pure function: the same order and the same state of the host always give the same step.
   */
  next(order: Order, seen: unknown): { kind: string }
  /** Takes the step; after it the host is looked at again. Resolves with the failure, or with null. */
  take(step: { kind: string }, seen: unknown): Promise<Failed | null>
  /** The failure for an error that a step threw; null where the next look decides. */
  failed(thrown: unknown): Promise<Failed | null>
  /** Stores the failure in the record. */
  keepFailure(failed: Failed): Promise<void>
  /** The body of a report: everything but the identity of its subject. */
  report(phase: string, failure: Failure | null): ReportBody
  /** Releases what is held between the steps. */
  letGo(): void
}

export type ReportBody = Pick<ReportEnvelope, 'phase' | 'failure'>

/** What a worker provides to the work that it drives. */
export interface Task<Order extends OrderEnvelope = OrderEnvelope> {
  /** The newest order. */
  readonly order: Order
  readonly authority: Authority
  /** Aborts when the current step is interrupted, for example by a newer order or the end of its machine. */
  readonly interrupted: AbortSignal
  /** Whether nothing new may be started. */
  readonly isOver: boolean
  report(phase: string): void
  /** Returns a function that aborts the current step, but no later one. */
  interruption(): (reason: Error) => void
}

/** An item on the host, with the epoch and the generation it was worked on under. */
export interface InventoryItem {
  id: string
  /** Id of the runner that provably owns it. */
  owner: string
  epoch: number
  generation: number
}

/** The workers of one kind, by the id of the resource. */
export interface Workers<TheWork> {
  worker(id: string):
    | {
        readonly work: TheWork
        /** Looks again, now or as soon as the current step has ended. */
        wake(): void
        /** Repeats the last report with the current details. */
        tellAgain(): void
      }
    | undefined
  all(): Iterable<{ readonly id: string; readonly work: TheWork; tellAgain(): void }>
}

/** Everything the agent knows about one kind of work. */
export interface WorkHandler<
  Order extends OrderEnvelope = OrderEnvelope,
  TheWork extends Work<Order> = Work<Order>,
> {
  readonly messages: WorkMessages<Order>
  /** Begins the work on a resource when its first order arrives. */
  begin(task: Task<Order>): TheWork
  /** Whether two orders of the same generation ask for the same result. */
  asksSame(before: Order, after: Order): boolean
  /** Whether the order asks for removal. */
  isRemoval(order: Order): boolean
  /** Items on the host that name their owner. */
  inventory(): Promise<InventoryItem[]>
  /** Removes something unwanted. */
  remove(id: string, authority: Authority): Promise<void>
  /** Until the signal aborts: wakes workers when something changes by itself. */
  listen(workers: Workers<TheWork>, signal: AbortSignal): Promise<void>
  /** Warnings about the host, one sentence each. */
  readonly warnings: readonly string[]
}
