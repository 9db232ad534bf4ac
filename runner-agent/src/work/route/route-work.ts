import type { Failure, RouteOrder, RouteReport } from '@hearth/contract'
import { assertNever, toError } from '@hearth/foundation'
import { HostError } from '../../host/host-error.ts'
import type { CommonStep, Failed, KeptRecord, Task, Work } from '../work.ts'
import { nextStep, type RouteReportPhase, type RouteStep, type SeenRoute } from './next-step.ts'
import type { RouteContext } from './route-context.ts'
import { targetOf } from './target.ts'

interface Known {
  failure: Failure | null
  failedGeneration: number
}
const fresh: Known = { failure: null, failedGeneration: 0 }

/** The work on one route. */
export class RouteWork implements Work<RouteOrder> {
  readonly record = new RouteRecord()

  constructor(
    private readonly task: Task<RouteOrder>,
    private readonly context: RouteContext,
  ) {}

  get environmentId(): string {
    return this.task.order.environmentId
  }

  /** What kept a machine from being started is shown to whoever asked for it. */
  heard({ id, wake }: RouteOrder): void {
    if (wake !== null && wake.fault !== null) this.context.ingress?.table.wakeFailed(id, wake.id, wake.fault)
  }

  async look(): Promise<SeenRoute> {
    const { order } = this.task
    const { ingress } = this.context
    this.heard(order)
    const known = ingress?.table.get(order.id)
    if (ingress !== null && known !== undefined)
      ingress.table.aim(order.id, await targetOf(known.route, this.context))
    return {
      stored: (await ingress?.files.read(order.id)) ?? null,
      cause: ingress === null ? this.context.without : ingress.cause,
      ...this.record.record,
    }
  }

  next(order: RouteOrder, seen: SeenRoute): RouteStep | CommonStep<RouteReportPhase> {
    return nextStep(order, seen)
  }

  async take(step: RouteStep): Promise<null> {
    const { task, context } = this
    const { ingress } = context
    if (ingress === null) throw new HostError('host_refused', context.without)
    await task.authority.assertHeld()
    switch (step.kind) {
      case 'serve':
        await ingress.serve(step.stored, await targetOf(step.stored.route, context))
        return null
      case 'withdraw':
        await ingress.withdraw(task.order.id)
        return null
      default:
        return assertNever(step)
    }
  }

  async failed(thrown: unknown): Promise<Failed> {
    const { message } = toError(thrown)
    return { failure: { code: thrown instanceof HostError ? thrown.code : 'internal', message } }
  }

  async keepFailure({ failure }: Failed): Promise<void> {
    this.record.record = { failure, failedGeneration: this.task.order.generation }
  }

  report(phase: string, failure: Failure | null): Body {
    const { ingress } = this.context
    const known = ingress?.table.get(this.task.order.id)
    const domain = ingress == null || known === undefined ? null : ingress.domains.reported(known.route)
    return { phase: phase as RouteReportPhase, failure, wakeId: known?.waking?.id ?? null, domain }
  }

  letGo(): void {
    // Nothing is held between the steps.
  }
}

/** What this process knows of one route beside what is stored: a failure, which another process may try again. */
class RouteRecord implements KeptRecord {
  record: Known = fresh

  open(): Known {
    return this.record
  }

  replace(record: object | null): void {
    this.record = record === null ? fresh : (record as Known)
  }

  async keep(): Promise<void> {
    // Nothing is stored.
  }
}

type Body = Pick<RouteReport, 'phase' | 'failure' | 'wakeId' | 'domain'>
