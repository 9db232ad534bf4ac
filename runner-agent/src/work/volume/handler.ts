import { type VolumeOrder, volumeWork } from '@hearth/contract'
import type { Authority } from '../../host/authority.ts'
import type { HandlerContext, WorkKindOfAgent } from '../handler-context.ts'
import type { InventoryItem, Task, Workers, WorkHandler } from '../work.ts'
import type { VolumeContext } from './volume-context.ts'
import { VolumeWork } from './volume-work.ts'

/** The work handler for volumes: their disks on this host, and in its machines. */
export class VolumeHandler implements WorkHandler<VolumeOrder, VolumeWork> {
  readonly messages = volumeWork
  readonly warnings = []
  private readonly context: VolumeContext

  constructor(private readonly given: HandlerContext) {
    const { host, guests } = given
    this.context = { machines: host.machines, volumes: host.volumes, guests }
  }

  begin(task: Task<VolumeOrder>): VolumeWork {
    return new VolumeWork(task, this.context)
  }

  asksSame(before: VolumeOrder, after: VolumeOrder): boolean {
    return before.digest !== undefined && before.digest === after.digest
  }

  isRemoval({ desired }: VolumeOrder): boolean {
    return desired === 'deleted'
  }

  async inventory(): Promise<InventoryItem[]> {
    return (await this.context.volumes.inventory()).flatMap(({ volumeId, ownership }) =>
      ownership === null ? [] : [{ ...ownership, id: volumeId }],
    )
  }

  async remove(id: string, authority: Authority): Promise<void> {
    const { volumes } = this.context
    if ((await volumes.look(id)).environmentId !== null) await volumes.detach(id, authority)
    await volumes.remove(id, authority)
  }

  async listen(workers: Workers<VolumeWork>, signal: AbortSignal): Promise<void> {
    const stop = this.given.machineChanges.listen((environmentId) => {
      for (const { id, work } of workers.all()) {
        if (!work.concerns(environmentId)) continue
        work.machineChanged()
        workers.worker(id)?.wake()
      }
    })
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    stop()
  }
}

export const volumes: WorkKindOfAgent = {
  messages: volumeWork,
  handler: (context) => new VolumeHandler(context),
}
