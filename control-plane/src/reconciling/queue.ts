import { type Clock, toError } from '@hearth/foundation'
import { Logger, makeWorkerUtils, type Runner, run } from 'graphile-worker'
import type pg from 'pg'
import type { Logger as Log } from 'pino'
import { z } from 'zod'
import type { Database } from '../database/connection.ts'
import { transact } from '../database/transact.ts'
import type { Reconciler } from './reconciler.ts'
import { type ReconciledKind, reconcileTask, wakeAt } from './wake.ts'

const payloadSchema = z.object({ kind: z.string(), id: z.string() })

export interface ReconcileQueueOptions {
  pool: pg.Pool
  database: Database
  clock: Clock
  reconcilers: readonly Reconciler[]
  /** Work on the hour, in the same queue so that one replica does it. */
  housekeeping: () => Promise<void>
  log: Log
  /** Told how long each reconcile took, in seconds. */
  observe(kind: string, seconds: number, outcome: 'done' | 'failed'): void
}

/** Makes the queue's own tables; to be called before anything is woken. */
export async function prepareQueue(pool: pg.Pool): Promise<void> {
  const tools = await makeWorkerUtils({ pgPool: pool, logger: silent })
  await tools.migrate()
  await tools.release()
}

/** Runs due reconciles until stopped; any number of replicas share the queue. A failing one is retried with backoff. */
export async function startReconcileQueue(options: ReconcileQueueOptions): Promise<Runner> {
  const reconcilers = new Map(options.reconcilers.map((reconciler) => [reconciler.kind, reconciler]))
  return run({
    pgPool: options.pool,
    concurrency: 8,
    noHandleSignals: true,
    pollInterval: 1_000,
    logger: silent,
    crontab: '17 * * * * housekeeping',
    taskList: {
      housekeeping: () => options.housekeeping(),
      [reconcileTask]: async (payload) => {
        const { kind, id } = payloadSchema.parse(payload)
        const reconciler = reconcilers.get(kind as ReconciledKind)
        if (reconciler === undefined) throw new Error(`nothing reconciles ${kind}`)
        const started = performance.now()
        const measure = (outcome: 'done' | 'failed') =>
          options.observe(kind, (performance.now() - started) / 1000, outcome)
        try {
          await reconcileOnce(reconciler, id, options)
          measure('done')
        } catch (error) {
          measure('failed')
          options.log.error({ err: toError(error), kind, id }, 'reconcile failed and will be retried')
          throw error
        }
      },
    },
  })
}

async function reconcileOnce(
  reconciler: Reconciler,
  id: string,
  { database, clock }: ReconcileQueueOptions,
): Promise<void> {
  await transact(database, async (tx) => {
    const next = await reconciler.reconcile(id, { tx, clock })
    if (next !== null) await wakeAt(tx, reconciler.kind, id, next)
  })
}

// Its lines name jobs, not resources; ours above say what failed.
const silent = new Logger(() => () => undefined)
