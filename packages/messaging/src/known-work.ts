import { type WorkMessages, type WorkOrder, type WorkReport, workKindOf } from '@hearth/contract'
import type { Schema } from './message.ts'
import { UnknownWork } from './unknown-work.ts'

/** Parses orders and reports, each with the schema of its kind. */
export class KnownWork {
  /** Both throw `UnknownWork` for an unknown kind. */
  readonly order: Schema<WorkOrder>
  readonly report: Schema<WorkReport>
  private readonly kinds: ReadonlyMap<string, WorkMessages>

  constructor(kinds: readonly WorkMessages[]) {
    this.kinds = new Map(kinds.map((messages) => [messages.kind, messages]))
    // A message parsed by the schema of its kind is one of the union.
    this.order = { parse: (value) => this.of(value).order.parse(value) as WorkOrder }
    this.report = { parse: (value) => this.of(value).report.parse(value) as WorkReport }
  }

  private of(value: unknown): WorkMessages {
    const kind = workKindOf(value)
    const messages = this.kinds.get(kind)
    if (messages === undefined) throw new UnknownWork(kind)
    return messages
  }
}
