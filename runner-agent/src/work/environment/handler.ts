import { type EnvironmentOrder, environmentWork } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Authority } from '../../host/authority.ts'
import type { Host } from '../../host/host.ts'
import type { HandlerContext, WorkKindOfAgent } from '../handler-context.ts'
import type { InventoryItem, Task, Workers, WorkHandler } from '../work.ts'
import { Activity, type WatchedMachine } from './activity.ts'
import type { EnvironmentContext } from './environment-context.ts'
import { EnvironmentWork } from './environment-work.ts'
import { Pauses } from './pauses.ts'
import { Slots } from './slots.ts'

/** The work handler for environments: their machines, and the steps in their guests. */
export class EnvironmentHandler implements WorkHandler<EnvironmentOrder, EnvironmentWork> {
  readonly messages = environmentWork
  private readonly host: Host
  private readonly pauses: Pauses
  private readonly activity: Activity
  private readonly context: EnvironmentContext

  constructor(private readonly given: HandlerContext) {
    const { host, clock, log, resumeFreeBytes, pausedMachinesMilliseconds } = given
    this.host = host
    this.pauses = new Pauses({
      host,
      clock,
      log,
      resumeFreeBytes,
      lookMilliseconds: pausedMachinesMilliseconds,
    })
    this.activity = new Activity({
      machines: host.machines,
      openGuest: given.openGuest,
      log,
      now: () => performance.now(),
      lookMilliseconds: given.activityMilliseconds,
    })
    this.context = {
      ...given,
      machines: host.machines,
      layers: host.layers,
      logs: given,
      pauses: this.pauses,
      activity: this.activity,
      bootSlots: new Slots(given.bootConcurrency),
      deadlines: given.stepDeadlines,
    }
  }

  get warnings(): string[] {
    return this.pauses.warnings
  }

  begin(task: Task<EnvironmentOrder>): EnvironmentWork {
    return new EnvironmentWork(task, this.context)
  }

  asksSame(before: EnvironmentOrder, after: EnvironmentOrder): boolean {
    return (
      before.desiredPhase === after.desiredPhase &&
      before.notice?.key === after.notice?.key &&
      before.binding?.claimId === after.binding?.claimId &&
      before.binding?.attempt === after.binding?.attempt
    )
  }

  isRemoval({ desiredPhase }: EnvironmentOrder): boolean {
    return desiredPhase === 'deleted'
  }

  async inventory(): Promise<InventoryItem[]> {
    return (await this.host.machines.inventory()).flatMap(({ environmentId, ownership }) =>
      ownership === null ? [] : [{ ...ownership, id: environmentId }],
    )
  }

  remove(id: string, authority: Authority): Promise<void> {
    return this.host.machines.remove(id, authority)
  }

  async listen(workers: Workers<EnvironmentWork>, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.host.machines.watch((id) => void this.powerChanged(workers, id), signal),
      this.pauses.run(
        {
          pauseChanged: (id) => pauseChanged(workers, id),
          resume: (id) => this.resume(workers, id),
        },
        signal,
      ),
      this.activity.run(() => this.watched(workers), signal),
    ])
  }

  private async powerChanged(workers: Workers<EnvironmentWork>, id: string): Promise<void> {
    try {
      // A report includes the pause, so the pauses are read first.
      for (const changed of await this.pauses.look()) pauseChanged(workers, changed)
    } catch (thrown) {
      this.given.log.warn({ error: toError(thrown) }, 'cannot read the paused machines')
    }
    const worker = workers.worker(id)
    worker?.wake()
    this.given.machineChanges.tell(id)
    await worker?.work.endWaitOfEndedMachine()
  }

  /** Those of which somebody wants to know whether they are used. */
  private *watched(workers: Workers<EnvironmentWork>): Iterable<WatchedMachine> {
    const { guests } = this.given
    for (const { id, work, tellAgain } of workers.all()) {
      const { idleSeconds } = work
      if (idleSeconds === null) continue
      const standing = {
        ownConnections: guests.connectionsTo(id) + (this.given.portConnectionsTo?.(id) ?? 0),
        isBusy: this.isBusy(id),
      }
      yield { id, idleSeconds, isOwnVisit: () => work.isInGuest, ...standing, tellAgain }
    }
  }

  /** Whether a task runs in it, or requests go to it on a route. */
  private isBusy(id: string): boolean {
    return this.given.guests.isBusy(id) || this.given.isUsedByRoute?.(id) === true
  }

  /** A refusal is logged and retried. */
  private async resume(workers: Workers<EnvironmentWork>, id: string): Promise<void> {
    await workers
      .worker(id)
      ?.work.resume()
      .catch((thrown: unknown) => {
        this.given.log.warn({ environmentId: id, error: toError(thrown) }, 'cannot resume a paused machine')
      })
  }
}

/** A pause is reported at once, even while a step waits for its guest. */
function pauseChanged(workers: Workers<EnvironmentWork>, id: string): void {
  const worker = workers.worker(id)
  worker?.tellAgain()
  worker?.wake()
}

export const environments: WorkKindOfAgent = {
  messages: environmentWork,
  handler: (context) => new EnvironmentHandler(context),
}
