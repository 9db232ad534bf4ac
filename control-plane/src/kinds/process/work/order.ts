import { type ProcessOrder, processLimits } from '@hearth/contract'
import { seal, toError } from '@hearth/foundation'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import type { Encryption } from '../../../database/encryption.ts'
import { digestOfOrder, wantedOrder } from '../../../work/wanted-order.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'
import { readBindingSecrets } from '../../environment/index.ts'
import { readSecrets } from '../../project/index.ts'

/** All processes that a runner sees to, with what their orders are made of. */
function selectOrders(queryable: Queryable) {
  return queryable
    .selectFrom('processes')
    .innerJoin('runners', 'runners.id', 'processes.runner_id')
    .innerJoin('environments', 'environments.id', 'processes.environment_id')
    .leftJoin('projects', 'projects.id', 'environments.project_id')
    .select([
      'processes.id',
      'processes.organization_id',
      'processes.environment_id',
      'processes.name',
      'processes.kind',
      'processes.phase',
      'processes.spec',
      'processes.spec_version',
      'processes.request',
      'processes.report_epoch',
      'processes.report_sequence',
      sql<number>`(processes.status->>'runs')::integer`.as('runs'),
      'environments.project_id',
      'environments.claim_id',
      // Its secrets are other ones when it has changed.
      'projects.spec_version as project_version',
      sql<string | null>`environments.spec->'plan'->'repositories'->0->>'name'`.as('repository'),
      'runners.id as runner_id',
      'runners.epoch',
      sql<string | null>`runners.status->'facts'->>'sealingKey'`.as('sealing_key'),
    ])
    .where('runners.epoch', '>', 0)
    .orderBy('processes.id')
}
type OrderRow = Awaited<ReturnType<ReturnType<typeof selectOrders>['execute']>>[number]

/** What waits before its next run has none: the run before is over, and the next is ordered when the wait is. */
function desiredOf({ phase }: Pick<OrderRow, 'phase'>): ProcessOrder['desired'] {
  switch (phase) {
    case 'starting':
    case 'running':
    case 'restarting':
      return 'run'
    case 'pending':
    case 'stopping':
      return 'stop'
    default:
      return 'deleted'
  }
}

/** What an order says but for what is sealed. */
function toFacts(row: OrderRow) {
  const { spec } = row
  return {
    kind: 'process' as const,
    id: row.id,
    organizationId: row.organization_id,
    runnerId: row.runner_id,
    epoch: row.epoch,
    generation: row.spec_version,
    environmentId: row.environment_id,
    name: row.name,
    type: row.kind,
    desired: desiredOf(row),
    request: row.request,
    command: spec.command,
    folder: spec.folder ?? (row.repository === null ? '/home' : `/home/${row.repository}`),
    user: spec.user,
    variables: spec.variables,
    secretNames: spec.secrets,
    stopSignal: spec.stopSignal,
    graceSeconds: spec.graceSeconds,
    memoryMebibytes: spec.memoryMebibytes,
    cpus: spec.cpus,
    deadlineSeconds: spec.kind === 'task' ? spec.deadlineSeconds : null,
    restart: spec.restart,
    readiness: spec.kind === 'service' ? spec.readiness : null,
    inputs: [...(spec.inputs ?? [])],
    journal: spec.journal ?? null,
    wish: spec.wish ?? null,
  }
}
type Facts = ReturnType<typeof toFacts>

/** How many runs there were says only what the next is called: an order that differs in it asks for nothing else. */
function digestOf(facts: Facts, { project_version, sealing_key }: OrderRow): string {
  const { inputs, journal, wish } = facts
  return digestOfOrder({
    ...facts,
    // Orders without them are those of versions that knew none.
    inputs: inputs.length === 0 ? undefined : inputs,
    journal: journal ?? undefined,
    wish: wish ?? undefined,
    ...{ project_version, sealing_key },
  })
}

/** The orders for tasks and services as they are now: all of a runner's, or those named. */
export async function currentOrders(
  queryable: Queryable,
  encryption: Encryption,
  wanted: { runnerId: string } | { ids: readonly string[] },
  onUnusable: (processId: string, error: Error) => void,
): Promise<ProcessOrder[]> {
  if ('ids' in wanted && wanted.ids.length === 0) return []
  const query = selectOrders(queryable)
  const rows = await ('runnerId' in wanted
    ? query.where('processes.runner_id', '=', wanted.runnerId)
    : query.where('processes.id', 'in', wanted.ids)
  ).execute()
  const orders: ProcessOrder[] = []
  for (const row of rows) {
    const facts = toFacts(row)
    try {
      const sealedSecrets = facts.desired === 'deleted' ? null : await sealSecrets(queryable, encryption, row)
      orders.push({ ...facts, runs: row.runs, digest: digestOf(facts, row), sealedSecrets })
    } catch (thrown) {
      onUnusable(row.id, toError(thrown))
    }
  }
  return orders
}

/** All that the guest was told, since a run may print it; null where it was told nothing. */
async function sealSecrets(
  queryable: Queryable,
  encryption: Encryption,
  { id, project_id, claim_id, sealing_key }: OrderRow,
): Promise<string | null> {
  const bound = claim_id === null ? {} : await readBindingSecrets(queryable, encryption, claim_id)
  const values = { ...(await readSecrets(queryable, encryption, project_id)), ...bound }
  if (Object.keys(values).length === 0) return null
  if (sealing_key === null) throw new Error('its runner has no key that something could be sealed to')
  return seal(JSON.stringify(values), sealing_key, id)
}

export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrders(queryable).where('processes.runner_id', '=', runnerId).execute()
  return new Map(rows.map((row) => wantedOrder(row, digestOf(toFacts(row), row))))
}

export async function orderSizes(queryable: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  // Sealing adds a third.
  const { rows } = await sql<{ id: string; bytes: string }>`
    SELECT row.id, octet_length(row.spec::text) + coalesce((
      SELECT sum(octet_length(secret.value) + octet_length(secret.name)) FROM project_secrets AS secret
      JOIN environments ON environments.id = row.environment_id
      WHERE secret.project_id = environments.project_id), 0) * 4 / 3 AS bytes
    FROM processes AS row WHERE row.id = ANY(${ids}::uuid[])`.execute(queryable)
  return new Map(rows.map(({ id, bytes }) => [id, Number(bytes) + processLimits.folderBytes]))
}
