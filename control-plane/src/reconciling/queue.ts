import { EventEmitter } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { assertNever, backoff, type Clock, toError } from '@hearth/foundation'
import {
  Logger,
  makeWorkerUtils,
  runTaskList,
  type TaskList,
  type WorkerEvents,
  type WorkerPool,
} from 'graphile-worker'
import { sql } from 'kysely'
import type pg from 'pg'
import type { Logger as Log } from 'pino'
import { z } from 'zod'
import type { Database } from '../database/connection.ts'
import { advisoryLocks } from '../database/locks.ts'
import { transact } from '../database/transact.ts'
import type { Timings } from '../timings.ts'
import type { Reconciler } from './reconciler.ts'
import { type ReconciledKind, reconcileTask, wakeAgain, wakeAt } from './wake.ts'

/**
 * Workers of one replica. Each keeps a PostgreSQL backend busy, which on a small host takes cores from claims.
 */
const reconcilesAtOnce = Math.min(8, Math.max(2, availableParallelism()))

/** Backoff between checks whether PostgreSQL answers again. */
const answerMilliseconds = { first: 100, most: 2_000 }
const payloadSchema = z.object({ kind: z.string(), id: z.string(), failures: z.int().optional() })
/** Backoff between tries of a failing reconcile. The library's own grows up to six hours. */
const retryMilliseconds = { first: 500, most: 60_000 }

export interface ReconcileQueueOptions {
  pool: pg.Pool
  database: Database
  clock: Clock
  timings: Timings
  reconcilers: readonly Reconciler[]
  /** Periodic work, run through the queue so that only one replica does it. */
  housekeeping: { hourly(): Promise<void>; everyMinute(): Promise<void> }
  log: Log
  /** Records the duration of each reconcile in a metric. */
  measure(kind: string, seconds: number, outcome: 'done' | 'failed'): void
}

/**
 * Creates the queue's own tables; must be called before the first wake. One replica at a time, since the library fails
 * when two create them at once.
 */
export async function prepareQueue(pool: pg.Pool): Promise<void> {
  const holder = await pool.connect()
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [advisoryLocks.queuePreparation])
    const tools = await makeWorkerUtils({ pgPool: pool, logger: silent })
    await tools.migrate()
    await tools.release()
  } finally {
    // The advisory lock belongs to the session: closing the connection releases it.
    holder.release(true)
  }
}

export interface ReconcileQueue {
  /** Begins no more work; resolves when running reconciles have ended. */
  stop(): Promise<void>
}

/**
 * Runs due reconciles until stopped; any number of replicas share the queue. A failing reconcile is retried with
 * backoff. When a connection is lost at a bad moment the library silently loses that worker, ends all workers, or fails
 * every later query with the first failure. All workers are then replaced as soon as PostgreSQL answers.
 */
export async function startReconcileQueue(options: ReconcileQueueOptions): Promise<ReconcileQueue> {
  const { database, timings, log } = options
  for (const task of periodicTasks) await arm(database, task, timings)
  const ended = new Set<Promise<void>>()
  const end = (workers: WorkerPool) => {
    const ending = workers
      .gracefulShutdown()
      .catch((error: unknown) => log.warn({ err: toError(error) }, 'could not end workers of the job queue'))
      .finally(() => ended.delete(ending))
    ended.add(ending)
  }
  const stopping = new AbortController()
  let current: WorkerPool
  const begin = () => {
    const events: WorkerEvents = new EventEmitter()
    const workers = startWorkers(options, events)
    let lost = false
    const lose = (error: unknown) => {
      if (lost || stopping.signal.aborted) return
      lost = true
      log.warn({ err: toError(error) }, 'workers of the job queue ended; replacing all of them')
      end(workers)
      void replace()
    }
    events.once('worker:fatalError', ({ error }) => lose(error))
    events.once('worker:getJob:error', ({ error }) => lose(toError(error)))
    events.once('worker:stop', ({ error }) => lose(error ?? new Error('one ended by itself')))
    workers.promise.then(() => lose(new Error('they ended by themselves')), lose)
    return workers
  }
  const replace = async () => {
    await untilAnswered(options.pool, stopping.signal)
    if (!stopping.signal.aborted) current = begin()
  }
  current = begin()
  return {
    async stop() {
      stopping.abort()
      end(current)
      await Promise.all(ended)
    },
  }
}

/** Resolves when PostgreSQL answers or the signal aborts. */
async function untilAnswered(pool: pg.Pool, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    await delay(backoff(attempt, answerMilliseconds), undefined, { signal }).catch(() => undefined)
    const answered = await pool.query('SELECT').then(
      () => true,
      () => false,
    )
    if (answered) return
  }
}

const periodicTasks = ['housekeeping-hourly', 'housekeeping-every-minute'] as const
type PeriodicTask = (typeof periodicTasks)[number]

/** The next time of a periodic task, as SQL. */
function nextTime(task: PeriodicTask, { everyMinute }: Timings) {
  switch (task) {
    case 'housekeeping-hourly':
      return sql`date_trunc('hour', now()) + interval '77 minutes'`
    case 'housekeeping-every-minute': {
      const seconds = sql`${everyMinute / 1000}::float8`
      return sql`to_timestamp((floor(extract(epoch FROM now()) / ${seconds}) + 1) * ${seconds})`
    }
    default:
      return assertNever(task)
  }
}

/**
 * Schedules the task's next run unless it is scheduled. Does not use the library's cron, which ends the process when it
 * cannot reach PostgreSQL as a minute begins.
 */
async function arm(database: Database, task: PeriodicTask, timings: Timings): Promise<void> {
  await sql`
    SELECT graphile_worker.add_job(${task}, run_at := ${nextTime(task, timings)}, job_key := ${task},
      job_key_mode := 'preserve_run_at')`.execute(database)
}

function startWorkers(options: ReconcileQueueOptions, events: WorkerEvents): WorkerPool {
  const reconcilers = new Map(options.reconcilers.map((reconciler) => [reconciler.kind, reconciler]))
  const { database, housekeeping, timings } = options
  const periodic = (task: PeriodicTask, work: () => Promise<void>) => async () => {
    await arm(database, task, timings)
    await work()
  }
  const settings = {
    events,
    concurrency: reconcilesAtOnce,
    noHandleSignals: true,
    pollInterval: timings.queuePoll,
    logger: silent,
  }
  const tasks: TaskList = {
    'housekeeping-hourly': periodic('housekeeping-hourly', () => housekeeping.hourly()),
    'housekeeping-every-minute': periodic('housekeeping-every-minute', () => housekeeping.everyMinute()),
    [reconcileTask]: async (payload) => {
      const { kind, id, failures = 0 } = payloadSchema.parse(payload)
      const reconciler = reconcilers.get(kind as ReconciledKind)
      if (reconciler === undefined) throw new Error(`there is no reconciler of kind ${kind}`)
      const started = performance.now()
      const measure = (outcome: 'done' | 'failed') =>
        options.measure(kind, (performance.now() - started) / 1000, outcome)
      try {
        await reconcileOnce(reconciler, id, options)
        measure('done')
      } catch (error) {
        measure('failed')
        options.log.error({ err: toError(error), kind, id }, 'reconcile failed and will be retried')
        const pause = backoff(failures, retryMilliseconds)
        await wakeAgain(database, kind as ReconciledKind, id, pause, failures + 1)
      }
    },
  }
  return runTaskList(settings, tasks, options.pool)
}

async function reconcileOnce(
  reconciler: Reconciler,
  id: string,
  { database, clock, timings }: ReconcileQueueOptions,
): Promise<void> {
  await transact(database, async (tx) => {
    const next = await reconciler.reconcile(id, { tx, clock, timings })
    if (next !== null) await wakeAt(tx, reconciler.kind, id, next)
  })
}

// The library's log lines name jobs, not resources; our own say what failed.
const silent = new Logger(() => () => undefined)
