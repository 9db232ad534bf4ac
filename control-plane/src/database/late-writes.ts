import { type RawBuilder, sql } from 'kysely'
import type { DatabaseTransaction, Queryable } from './connection.ts'

export interface NewEvent {
  id: string
  organization_id: string
  verb: string
  kind: string
  resource_id: string
  spec_version: number | null
  status_version: number | null
  resource: object
}

export interface NewOrder {
  topic: 'order' | 'purge'
  kind: string
  runner_id: string
  environment_id: string
}

/** A job of the queue. */
export interface NewJob {
  task: string
  /** Replaces the job that waits under it. */
  key: string
  payload: object
  run_at: Date | null
  /** Milliseconds after which it is run, unless one waits under its key, which it joins; null for one that replaces. */
  within: number | null
}

/** What a transaction writes for others to act on after its commit. */
export interface LateWrites {
  events?: readonly NewEvent[]
  orders?: readonly NewOrder[]
  jobs?: readonly NewJob[]
}

type Collected = Required<LateWrites> & { statements: (() => Promise<unknown>)[] }

const collected = new WeakMap<Queryable, Collected>()

/** From now on what a transaction writes for others is collected, to be written at its end. */
export function collectLate(tx: DatabaseTransaction): void {
  collected.set(tx, { events: [], orders: [], jobs: [], statements: [] })
}

/**
 * Sends what was collected all at once: one statement for events, orders and jobs, in the order given, where of jobs
 * under one key the last counts.
 */
export async function writeCollected(tx: DatabaseTransaction): Promise<void> {
  const late = collected.get(tx)
  if (late === undefined) return
  await Promise.all([...late.statements.map((send) => send()), write(tx, late)])
}

/** Has a statement sent together with the commit, whose answer nothing in the transaction waits for. */
export function sendLate(tx: DatabaseTransaction, send: () => Promise<unknown>): void {
  const late = collected.get(tx)
  if (late === undefined) throw new Error('this transaction sends nothing at its end')
  late.statements.push(send)
}

/** Writes at the end of a transaction that collects, and otherwise at once. */
export async function writeLate(queryable: Queryable, late: LateWrites): Promise<void> {
  const before = collected.get(queryable)
  const { events = [], orders = [], jobs = [] } = late
  if (before === undefined) return write(queryable, { events, orders, jobs })
  collected.set(queryable, {
    ...before,
    events: [...before.events, ...events],
    orders: [...before.orders, ...orders],
    jobs: [...before.jobs, ...jobs],
  })
}

async function write(queryable: Queryable, { events, orders, jobs }: Required<LateWrites>): Promise<void> {
  const newest = [...new Map(jobs.map((job) => [job.key, job])).values()]
  const joining = newest.filter(({ within }) => within !== null).length
  const parts = [
    ...(events.length > 0 ? [sql`new_event AS (${insertEvents(events)})`] : []),
    ...(orders.length > 0 ? [sql`new_order AS (${insertOrders(orders)})`] : []),
    ...(newest.length > 0 ? [sql`job AS MATERIALIZED (${readJobs(newest)})`] : []),
  ]
  if (parts.length === 0) return
  const added = [
    ...(joining < newest.length
      ? [sql`graphile_worker.add_jobs(${specsOf(sql`within IS NULL`)}) AS replacing`]
      : []),
    ...(joining > 0
      ? [
          sql`graphile_worker.add_jobs(${specsOf(sql`within IS NOT NULL`)}, job_key_preserve_run_at := true) AS joining`,
        ]
      : []),
  ]
  const select = added.length === 0 ? sql`SELECT 1` : sql`SELECT count(*) FROM ${sql.join(added)}`
  await sql`WITH ${sql.join(parts)} ${select}`.execute(queryable)
}

const insertEvents = (events: readonly NewEvent[]) => sql`
  INSERT INTO events (id, organization_id, verb, kind, resource_id, spec_version, status_version, resource)
  SELECT id, organization_id, verb, kind, resource_id, spec_version, status_version, resource
  FROM json_to_recordset(${JSON.stringify(events)}::json) AS event(id uuid, organization_id uuid, verb text, kind text,
    resource_id uuid, spec_version integer, status_version integer, resource jsonb)`

const insertOrders = (orders: readonly NewOrder[]) => sql`
  INSERT INTO outbox (topic, kind, runner_id, environment_id)
  SELECT topic, kind, runner_id, environment_id
  FROM json_to_recordset(${JSON.stringify(orders)}::json)
    AS ordered(topic text, kind text, runner_id uuid, environment_id uuid)`

const readJobs = (jobs: readonly NewJob[]) => sql`
  SELECT * FROM json_to_recordset(${JSON.stringify(jobs)}::json)
    AS job(task text, key text, payload json, run_at timestamptz, within integer)`

// In the order of their keys, so that two transactions that wake the same resources do not deadlock.
const specsOf = (chosen: RawBuilder<unknown>) => sql`(
  SELECT array_agg((task, payload, null, coalesce(run_at, now() + within * interval '1 millisecond'), null, key, null,
    null)::graphile_worker.job_spec ORDER BY key)
  FROM job WHERE ${chosen})`
