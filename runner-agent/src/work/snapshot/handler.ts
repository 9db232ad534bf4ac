import { setTimeout as delay } from 'node:timers/promises'
import { type SnapshotOrder, snapshotWork } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import type { Authority } from '../../host/authority.ts'
import type { WorkKindOfAgent } from '../handler-context.ts'
import type { MachineChanges } from '../machine-changes.ts'
import type { InventoryItem, Task, Workers, WorkHandler } from '../work.ts'
import { copyLayer } from './copy/copy-layer.ts'
import { Grants } from './copy/grants.ts'
import { type LayerAddress, serveLayers } from './copy/server.ts'
import type { SnapshotContext } from './snapshot-context.ts'
import { SnapshotWork } from './snapshot-work.ts'

/** The work handler for snapshots: their layers on this host. */
export class SnapshotHandler implements WorkHandler<SnapshotOrder, SnapshotWork> {
  readonly messages = snapshotWork
  readonly warnings = []
  private readonly begun = new Set<string>()
  private workers: Workers<SnapshotWork> | null = null

  constructor(
    private readonly context: SnapshotContext,
    private readonly machineChanges: Pick<MachineChanges, 'listen'>,
    /** Interval between two tries to remove a layer that something stood on, which may go without a word. */
    private readonly lookMilliseconds: number,
    /** Where other runners read layers; null where they cannot. */
    private readonly address: LayerAddress | null,
  ) {}

  begin(task: Task<SnapshotOrder>): SnapshotWork {
    this.begun.add(task.order.id)
    return new SnapshotWork(task, this.context, (layerId) => this.released(layerId))
  }

  asksSame(before: SnapshotOrder, after: SnapshotOrder): boolean {
    return canonicalJson(resultOf(before)) === canonicalJson(resultOf(after))
  }

  isRemoval({ desiredPhase }: SnapshotOrder): boolean {
    return desiredPhase === 'deleted'
  }

  async inventory(): Promise<InventoryItem[]> {
    return (await this.context.layers.inventory()).flatMap(({ layerId, ownership }) =>
      ownership === null ? [] : [{ ...ownership, id: layerId }],
    )
  }

  async remove(id: string, authority: Authority): Promise<void> {
    const keptBy = await this.context.layers.remove(id, authority)
    if (keptBy.length > 0) throw new Error(`the disks of ${keptBy.join(', ')} still stand on the layer`)
  }

  async listen(workers: Workers<SnapshotWork>, signal: AbortSignal): Promise<void> {
    const { address, context } = this
    this.workers = workers
    const stopListening = this.machineChanges.listen((environmentId) => this.released(environmentId))
    const serving = address === null ? null : serveLayers(address, context, signal)
    try {
      await Promise.all([serving, this.removeReleased(workers, signal)])
    } finally {
      stopListening()
    }
  }

  /** Tries at once to remove what this machine, or layer, stood on. */
  private released(id: string): void {
    for (const layerId of this.begun) {
      const worker = this.workers?.worker(layerId)
      if (worker?.work.isKeptBy(id) === true && worker.work.tryRemovalAgain()) worker.wake()
    }
  }

  private async removeReleased(workers: Workers<SnapshotWork>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(this.lookMilliseconds, undefined, { signal }).catch(() => undefined)
      for (const id of this.begun) {
        const worker = workers.worker(id)
        if (worker === undefined) this.begun.delete(id)
        else if (worker.work.tryRemovalAgain()) worker.wake()
      }
    }
  }
}

/** What is to be on the host. A grant that is renewed, and what others may read, interrupt nothing. */
function resultOf({ source, digest: _, grants: __, sealedForbidden, ...order }: SnapshotOrder) {
  const from = source.kind === 'runner' ? { ...source, grant: source.grant.id } : source
  return { ...order, source: from, isSearched: sealedForbidden !== null }
}

/** The kind of work; `address` is where other runners read layers, null where they cannot. */
export function snapshotsServedAt(address: LayerAddress | null): WorkKindOfAgent {
  return {
    messages: snapshotWork,
    handler: ({ host: { layers }, sealingKey, clock, log, machineChanges, pausedMachinesMilliseconds }) => {
      const context: SnapshotContext = {
        layers,
        sealingKey,
        grants: new Grants(sealingKey, clock),
        copy: (task, progress) => copyLayer(task, layers, sealingKey, progress),
        log,
        now: () => performance.now(),
      }
      return new SnapshotHandler(context, machineChanges, pausedMachinesMilliseconds, address)
    },
  }
}
