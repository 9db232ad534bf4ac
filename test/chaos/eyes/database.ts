import { Client } from 'pg'
import type { Records, SeenEvent } from '../check/history.ts'

/** Reads the database as it is at one moment. */
export class DatabaseReader {
  private client: Client | null = null

  constructor(private readonly url: string) {}

  async records(): Promise<Records> {
    const client = await this.connected()
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const records = await readAll(client)
      await client.query('COMMIT')
      return records
    } catch (thrown) {
      await this.close()
      throw thrown
    }
  }

  /** The overcommitted runners. */
  async oversold(): Promise<string[]> {
    const client = await this.connected()
    const { rows } = await client.query<{ name: string; promised: string; has: string }>(oversoldQuery)
    return rows.map(({ name, promised, has }) => `${promised} MiB of ${has} are promised of runner ${name}`)
  }

  /** The tables that contain a text unencrypted. */
  async search(text: string): Promise<string[]> {
    const client = await this.connected()
    const found: string[] = []
    const tables = await client.query<{ name: string }>(tablesQuery)
    for (const { name: table } of tables.rows) {
      const { rows } = await client.query<{ found: boolean }>(
        `SELECT EXISTS (SELECT FROM ${table} AS one WHERE one::text LIKE $1) AS found`,
        [`%${text}%`],
      )
      if (rows[0]?.found === true) found.push(`table ${table}`)
    }
    return found
  }

  /** The waiting jobs, for whoever examines a failed run. */
  async queue(): Promise<unknown[]> {
    const client = await this.connected()
    return (await client.query('SELECT *, now() FROM graphile_worker.jobs ORDER BY run_at')).rows
  }

  async close(): Promise<void> {
    const { client } = this
    this.client = null
    await client?.end().catch(() => undefined)
  }

  private async connected(): Promise<Client> {
    if (this.client !== null) return this.client
    const client = new Client({ connectionString: this.url, application_name: 'chaos-eyes' })
    client.on('error', () => {
      if (this.client === client) this.client = null
    })
    await client.connect()
    this.client = client
    return client
  }
}

/** Those of Hearth, and of its queue. */
const tablesQuery = `
  SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
  WHERE schemaname IN ('public', 'graphile_worker')`

/** Members of pools that need not run take no memory. */
const atRest = `(environments.claim_id IS NULL AND coalesce(environments.owner_kind LIKE 'warm-pool%', false)
  AND environments.phase IN ('suspended', 'stopped') AND environments.desired_phase = environments.phase)`

const oversoldQuery = `
  SELECT runners.name, sum(environments.memory_mebibytes) AS promised, runners.status->'facts'->>'memoryMebibytes' AS has
  FROM runners JOIN environments ON environments.runner_id = runners.id
  WHERE environments.phase <> 'deleted' AND NOT ${atRest}
  GROUP BY runners.id
  HAVING sum(environments.memory_mebibytes) > (runners.status->'facts'->>'memoryMebibytes')::integer`

async function readAll(client: Client): Promise<Records> {
  const all = async <Row>(text: string): Promise<Row[]> => (await client.query(text)).rows as Row[]
  const [moment] = await all<{ now: Date; unsent: number }>(`
    SELECT now(), (SELECT count(*) FROM outbox)::integer
      + (SELECT count(*) FROM events WHERE position IS NULL)::integer
      + (SELECT coalesce(max(position), 0) FROM events)::integer
      - (SELECT position FROM event_publication)::integer AS unsent`)
  return {
    now: new Date(),
    unsent: moment?.unsent ?? 0,
    projects: await all('SELECT id, name, phase FROM projects'),
    pools: await all(`
      SELECT id, project_id AS "projectId", phase, (spec->>'enabled')::boolean AS enabled,
        (spec->>'min')::integer AS min, status->>'restsAgainAt' AS "restsAgainAt", status->'failure'->>'message' AS failure FROM warm_pools`),
    environments: await all(`
      SELECT id, phase, desired_phase AS "desiredPhase", project_id AS "projectId", CASE WHEN owner_kind = 'warm-pool' THEN owner_id END AS "poolId",
        runner_id AS "runnerId", claim_id AS "claimId", spec_version AS "specVersion", deadline, unreachable,
        paused IS NOT NULL AS paused, source_snapshot_id AS "snapshotId",
        CASE WHEN owner_kind = 'prebuild' THEN owner_id END AS "prebuildId",
        source->'prebuild'->>'id' AS "chosenPrebuildId", status->'startedFrom' AS "startedFrom",
        status->'failure'->>'message' AS failure FROM environments`),
    snapshots: await all(`
      SELECT id, phase, project_id AS "projectId", environment_id AS "environmentId", deadline,
        status->'failure'->>'message' AS failure, purpose = 'prebuild' AS "isOfPrebuild",
        desired_phase = 'ready' AS "isWanted", coalesce((status->'memory'->>'kept')::boolean, false) AS "keepsMemory", coalesce((
          SELECT json_agg(json_build_object('runnerId', runner_id, 'phase', holder.phase, 'failure', failure->>'message'))
          FROM snapshot_holders AS holder WHERE snapshot_id = snapshots.id), '[]') AS holders FROM snapshots`),
    prebuilds: await all(`
      SELECT id, project_id AS "projectId", phase, desired_phase AS "desiredPhase", configuration, snapshot_id AS "snapshotId",
        deadline, failed_boots AS "failedBoots", status->'failure'->>'message' AS failure, NULL AS why, coalesce((
          SELECT json_agg(template || jsonb_build_object('failure', template->'failure'->>'message'))
          FROM jsonb_array_elements(status->'templates') AS template), '[]') AS templates
      FROM prebuilds ORDER BY id`),
    processes: await all(`
      SELECT id, kind, environment_id AS "environmentId", phase, desired, request, (status->>'runs')::integer AS runs,
        spec->'restart'->>'policy' <> 'never' AS "isRestarted", deadline, status->'failure'->>'message' AS failure,
        status->'failure'->>'code' AS "failureCode", status->'run'->>'cause' AS cause,
        (status->'run'->>'exitCode')::integer AS "exitCode",
        CASE spec->'keptBy'->>'kind' WHEN 'Deployment' THEN spec->'keptBy'->>'id' END AS "deploymentId" FROM processes`),
    webApps: await all(`
      SELECT id, environment_id AS "environmentId", phase, status->'failure'->>'message' AS failure FROM web_apps`),
    spaces: await all(`SELECT id, current_deployment_id AS "currentDeploymentId" FROM spaces`),
    deployments: await all(`
      SELECT id, environment_id AS "environmentId", phase, status->'failure'->>'message' AS failure FROM deployments`),
    pipelines: await all(`
      SELECT id, resources, desired, runtime, program, storage, status->'error'->>'message' AS error,
        environment_id AS "environmentId", snapshot_id AS "snapshotId", volume_id AS "volumeId" FROM pipelines`),
    pipelineEvents: await all(`
      SELECT pipeline_id AS "pipelineId", sequence::integer, statuses->>'resourcesStatus' AS resources,
        statuses->>'runtimeStatus' AS runtime FROM pipeline_events ORDER BY pipeline_id, sequence`),
    pipelineParts: await all(`
      SELECT 'machine' AS kind, id FROM environments
        WHERE owner_kind = 'pipeline' AND phase <> 'deleted' AND desired_phase <> 'deleted'
      UNION ALL SELECT 'volume', id FROM volumes WHERE spec->'keptBy' IS NOT NULL AND desired = 'present'
      UNION ALL SELECT 'snapshot', id FROM snapshots WHERE purpose = 'pipeline' AND desired_phase = 'ready'`),
    routes: await all(`
      SELECT id, phase, environment_id AS "environmentId", runner_id AS "runnerId", (spec->>'port')::integer AS port,
        status->'failure'->>'message' AS failure FROM routes`),
    volumes: await all(`
      SELECT id, phase, environment_id AS "environmentId", runner_id AS "runnerId",
        (status->>'isMounted')::boolean AS "isMounted", (spec->>'contentNumber')::integer AS "contentNumber",
        status->'failure'->>'message' AS failure FROM volumes`),
    claims: await all(`
      SELECT id, phase, environment_id AS "environmentId", status->'failure'->>'message' AS failure FROM claims`),
    runners: await all(`
      SELECT id, name, phase, epoch, coalesce((status->'facts'->>'memoryMebibytes')::integer, 0) - coalesce((
          SELECT sum(memory_mebibytes) FROM environments
          WHERE runner_id = runners.id AND environments.phase <> 'deleted' AND NOT ${atRest}), 0)::integer AS "freeMebibytes"
      FROM runners WHERE phase <> 'deleted'`),
    jobs: await all('SELECT id, operation, resource_id AS "resourceId", phase FROM jobs'),
    events: await all<SeenEvent>(`
      SELECT id, position::integer, kind, resource_id AS "resourceId", spec_version AS "specVersion",
        status_version AS "statusVersion", resource->'status'->>'phase' AS phase FROM events WHERE position IS NOT NULL ORDER BY position`),
  }
}
