import { setTimeout as delay } from 'node:timers/promises'
import { type RouteOrder, routeWork } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Authority } from '../../host/authority.ts'
import type { Ingress } from '../../ingress/ingress.ts'
import type { HandlerContext, WorkKindOfAgent } from '../handler-context.ts'
import type { InventoryItem, Task, Workers, WorkHandler } from '../work.ts'
import type { RouteContext } from './route-context.ts'
import { RouteWork } from './route-work.ts'
import { targetOf } from './target.ts'

/** Interval between two looks at whether the proxy runs. */
const proxyMilliseconds = 5_000
/** Interval between two looks at which custom domains are to be looked at. */
const domainMilliseconds = 500
/** The shortest pause between two looks at a machine that does not answer. */
const doubtMilliseconds = 2_000

/** The work handler for routes: what this host's proxy serves. */
export class RouteHandler implements WorkHandler<RouteOrder, RouteWork> {
  readonly messages = routeWork
  readonly warnings = []
  private readonly context: RouteContext
  /** When machines were last looked at because one did not answer. */
  private readonly doubted = new Map<string, number>()

  constructor(
    private readonly given: HandlerContext,
    private readonly ingress: Ingress | null,
    without: string,
  ) {
    this.context = { machines: given.host.machines, openPort: given.openGuestPort ?? null, ingress, without }
  }

  begin(task: Task<RouteOrder>): RouteWork {
    return new RouteWork(task, this.context)
  }

  /** What is stored is compared with the order: each one is looked at. */
  asksSame(before: RouteOrder, after: RouteOrder): boolean {
    return before.digest !== undefined && before.digest === after.digest
  }

  isRemoval({ desired }: RouteOrder): boolean {
    return desired === 'deleted'
  }

  async inventory(): Promise<InventoryItem[]> {
    const stored = (await this.ingress?.files.all()) ?? []
    return stored.map(({ owner, epoch, generation, route }) => ({ id: route.id, owner, epoch, generation }))
  }

  async remove(id: string, authority: Authority): Promise<void> {
    await authority.assertHeld()
    await this.ingress?.withdraw(id)
  }

  async listen(workers: Workers<RouteWork>, signal: AbortSignal): Promise<void> {
    const { ingress } = this
    if (ingress === null) return
    await this.serveKnown(ingress)
    const stop = this.given.machineChanges.listen((environmentId) => this.aim(ingress, environmentId))
    await ingress.open({
      wanted: (id) => workers.worker(id)?.tellAgain(),
      doubted: (id) => this.doubt(workers, id),
    })
    try {
      await Promise.all([
        this.keepProxy(ingress, workers, signal),
        this.watchTraffic(ingress, signal),
        this.watchDomains(ingress, workers, signal),
      ])
    } finally {
      stop()
      await ingress.close()
    }
  }

  /** Those that an agent before this one served, whether or not the control plane can be heard. */
  private async serveKnown(ingress: Ingress): Promise<void> {
    for (const { owner, route } of await ingress.files.all())
      if (owner === this.given.runnerId)
        ingress.table.set(
          { ...route, refusedTokens: new Set(route.refusedTokens) },
          await targetOf(route, this.context),
        )
  }

  /** A machine was started or has ended: its routes lead elsewhere at once. */
  private aim(ingress: Ingress, environmentId: string): void {
    for (const { route } of ingress.table.all()) {
      if (route.environmentId !== environmentId) continue
      targetOf(route, this.context).then(
        (target) => ingress.table.aim(route.id, target),
        (thrown: unknown) =>
          this.given.log.warn({ environmentId, error: toError(thrown) }, 'cannot see where a route leads'),
      )
    }
  }

  /** Whoever fails on purpose does not have the host looked at for each request. */
  private doubt(workers: Workers<RouteWork>, id: string): void {
    const now = performance.now()
    if (now - (this.doubted.get(id) ?? Number.NEGATIVE_INFINITY) < doubtMilliseconds) return
    this.doubted.set(id, now)
    const worker = workers.worker(id)
    if (worker === undefined) this.doubted.delete(id)
    worker?.wake()
  }

  private async keepProxy(ingress: Ingress, workers: Workers<RouteWork>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const hasChanged = await ingress.ensure()
      if (hasChanged) for (const { id } of workers.all()) workers.worker(id)?.wake()
      await delay(proxyMilliseconds, undefined, { signal }).catch(() => undefined)
    }
  }

  private async watchDomains(
    ingress: Ingress,
    workers: Workers<RouteWork>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const changed = ingress.cause === null ? await ingress.lookAtDomains() : []
      for (const id of changed) workers.worker(id)?.tellAgain()
      await delay(domainMilliseconds, undefined, { signal }).catch(() => undefined)
    }
  }

  private async watchTraffic(ingress: Ingress, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await ingress.look()
      await delay(this.given.activityMilliseconds / 2, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** The kind of work; `ingress` is null where the agent serves no routes, and `without` says why. */
export function routesServedBy(ingress: Ingress | null, without: string): WorkKindOfAgent {
  return {
    messages: routeWork,
    handler: (context) => new RouteHandler(context, ingress, without),
  }
}
