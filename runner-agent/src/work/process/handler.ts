import { type ProcessOrder, processWork } from '@hearth/contract'
import { canonicalJson, toError } from '@hearth/foundation'
import type { HandlerContext, WorkKindOfAgent } from '../handler-context.ts'
import type { InventoryItem, Task, Workers, WorkHandler } from '../work.ts'
import { Inputs } from './inputs.ts'
import type { ProcessContext } from './process-context.ts'
import { ProcessWork } from './process-work.ts'

/** The work handler for tasks and services: the processes in the guests of this host. */
export class ProcessHandler implements WorkHandler<ProcessOrder, ProcessWork> {
  readonly messages = processWork
  readonly warnings = []
  private readonly context: ProcessContext

  constructor(private readonly given: HandlerContext) {
    const { host, guests, clock, log, sealingKey, closing, track } = given
    this.context = {
      machines: host.machines,
      logs: given,
      inputs: new Inputs(given),
      ...{ guests, clock, log, sealingKey, closing, track },
    }
  }

  begin(task: Task<ProcessOrder>): ProcessWork {
    return new ProcessWork(task, this.context)
  }

  asksSame(before: ProcessOrder, after: ProcessOrder): boolean {
    return canonicalJson(resultOf(before)) === canonicalJson(resultOf(after))
  }

  isRemoval({ desired }: ProcessOrder): boolean {
    return desired === 'deleted'
  }

  /** They are nowhere but in their machines, and go with those. */
  async inventory(): Promise<InventoryItem[]> {
    return []
  }

  async remove(): Promise<void> {
    // Nothing is listed that could be removed.
  }

  async listen(workers: Workers<ProcessWork>, signal: AbortSignal): Promise<void> {
    const stop = this.given.machineChanges.listen((environmentId) => {
      for (const { id, work } of workers.all()) {
        if (work.environmentId !== environmentId) continue
        workers.worker(id)?.wake()
        work
          .machineChanged()
          .catch((thrown: unknown) =>
            this.given.log.warn(
              { environmentId, error: toError(thrown) },
              'cannot see whether a machine runs',
            ),
          )
      }
    })
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    stop()
    this.context.guests.close()
  }
}

/** What is to run. How many runs there were, and values that are sealed anew, interrupt nothing. */
function resultOf({
  digest: _,
  runs: __,
  sealedSecrets: ___,
  epoch: ____,
  generation: _____,
  ...order
}: ProcessOrder) {
  return order
}

export const processes: WorkKindOfAgent = {
  messages: processWork,
  handler: (context) => new ProcessHandler(context),
}
