import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import type { Database } from '../database/connection.ts'
import type { Reconciler } from '../reconciling/reconciler.ts'
import { type Party, World } from './world.fixture.ts'

export interface Scenario {
  /** The scenario, as the end of a test title "it ...". */
  name: string
  reconciler: Reconciler
  /** Creates the reconciler's subject in the given organization; returns the id with which the reconciler is run. */
  arrange(party: Party): Promise<string>
  /** Number of runs needed: a reconciler may leave its next step to a later run. */
  runs?: number
  /**
   * Whether neighbours in the same organization must stay untouched; false for a reconciler that acts on a whole
   * organization.
   */
  hasNeighbours?: boolean
  /** The result without ids and times, so that it can be compared between worlds. */
  outcome(database: Database, id: string): Promise<unknown>
  expected: unknown
}

/**
 * Tests what every reconciler must hold to: a run changes all or nothing; repeated runs reach the expected result and
 * then change nothing more; parallel runs have the same result; and nothing but the subject is changed.
 */
export function describeReconciler(kind: string, scenarios: readonly Scenario[]): void {
  describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    `${kind}: it %s`,
    (_, scenario) => {
      const { reconciler, outcome, expected, runs = 1 } = scenario

      test('changes nothing while events and orders cannot be written, and then everything exactly once in eight runs', async () => {
        await using world = await World.create()
        const { id, bystanders } = await arrange(world, scenario)
        const before = await read(world.database, [...written, wakes])
        await breakOutbox(world.database)
        await expect(world.reconcile(reconciler, id)).rejects.toThrow('the outbox is broken')
        expect(await read(world.database, [...written, wakes])).toEqual(before)
        await mendOutbox(world.database)
        for (let run = 1; run <= runs; run += 1) await world.reconcile(reconciler, id)
        const settled = await read(world.database, written)
        expect(await outcome(world.database, id)).toEqual(expected)
        for (let run = runs + 1; run <= 8; run += 1) await world.reconcile(reconciler, id)
        expect(await read(world.database, written)).toEqual(settled)
        await bystanders.areUntouched()
      })

      test('has the same result when it is run eight times in parallel', async () => {
        await using world = await World.create()
        const { id, bystanders } = await arrange(world, scenario)
        await Promise.all(Array.from({ length: 8 }, () => world.reconcile(reconciler, id)))
        expect(await outcome(world.database, id)).toEqual(expected)
        await bystanders.areUntouched()
      })
    },
  )
}

/** Every table that a reconciler may write to. */
const written = [
  'environments',
  'claims',
  'warm_pools',
  'projects',
  'project_secrets',
  'runners',
  'snapshots',
  'snapshot_holders',
  'prebuilds',
  'sessions',
  'processes',
  'task_executions',
  'routes',
  'web_apps',
  'spaces',
  'deployments',
  'volumes',
  'jobs',
  'events',
  'outbox',
]
const wakes = 'graphile_worker.jobs'

/** The rows of tables as text, by table and id. */
type Rows = ReadonlyMap<string, string>

async function read(database: Database, tables: readonly string[]): Promise<Rows> {
  const rows = new Map<string, string>()
  for (const table of tables) {
    const found = await sql<{ row: string }>`
      SELECT to_jsonb(one)::text AS row FROM ${sql.table(table)} AS one`.execute(database)
    for (const { row } of found.rows) rows.set(`${table} ${idOf(row)}`, row)
  }
  return rows
}

const idOf = (row: string) => {
  const columns = JSON.parse(row) as Record<string, string | number | undefined>
  return String(columns.id ?? columns.sequence ?? `${columns.snapshot_id} ${columns.runner_id}`)
}

interface Bystanders {
  areUntouched(): Promise<void>
}

/**
 * The subject with a neighbour in the same organization and a stranger in another one, both in need of the same
 * action.
 */
async function arrange(
  world: World,
  { arrange, hasNeighbours = true }: Scenario,
): Promise<{ id: string; bystanders: Bystanders }> {
  const [own, other] = [await world.party(), await world.party()]
  if (hasNeighbours) await arrange(own)
  await arrange(other)
  const around = await read(world.database, written)
  const id = await arrange(own)
  const areUntouched = async () => {
    const after = await read(world.database, written)
    expect(new Map([...around.keys()].map((key) => [key, after.get(key)]))).toEqual(around)
    const strangers = [...after].filter(
      ([key, row]) => !around.has(key) && row.includes(`"organization_id": "${other.organizationId}"`),
    )
    expect(strangers).toEqual([])
  }
  return { id, bystanders: { areUntouched } }
}

/** Makes writing events and orders fail. Every change writes one of them in its transaction. */
async function breakOutbox(database: Database): Promise<void> {
  await sql
    .raw(`
      CREATE FUNCTION break_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the outbox is broken'; END $$;
      CREATE TRIGGER broken BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION break_outbox();
      CREATE TRIGGER broken BEFORE INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION break_outbox();
    `)
    .execute(database)
}

async function mendOutbox(database: Database): Promise<void> {
  await sql.raw('DROP TRIGGER broken ON events; DROP TRIGGER broken ON outbox').execute(database)
}
