import type { DesiredPhase, EnvironmentPhase, OnCrash } from '@hearth/contract'
import { sql } from 'kysely'
import type { Queryable } from '../../../database/connection.ts'
import { digestOfOrder } from '../../../work/wanted-order.ts'
import type { WantedOrder } from '../../../work/work-kind.ts'
import { bindingName } from '../binding/order.ts'
import type { StoredLife } from '../life/life.ts'
import { lifeOrder } from '../life/order.ts'
import type { OwnerKind } from '../owner.ts'
import type { StoredSource } from '../table.ts'

/** All that an order is made of, with the plan and the secrets by what names them. */
export interface OrderFacts {
  id: string
  name: string
  owner_kind: OwnerKind | null
  desired_phase: DesiredPhase
  spec_version: number
  configuration: string
  source: StoredSource | null
  /** Rises whenever the secrets change. */
  project_version: number | null
  on_crash: OnCrash | null
  phase: EnvironmentPhase
  unreachable: boolean
  life: StoredLife | null
  claim_name: string | null
  runner_id: string
  epoch: number
  sealing_key: string | null
  user_certificate_authority: string
  claim_id: string | null
  /** The try at binding it to its claim; null where there is nothing to bind. */
  binding_attempt: number | null
}

/** The columns of `OrderFacts`: none of them grows with a plan. */
export function selectOrderFacts(queryable: Queryable) {
  return (
    queryable
      .selectFrom('environments')
      .innerJoin('runners', 'runners.id', 'environments.runner_id')
      .innerJoin('organizations', 'organizations.id', 'environments.organization_id')
      .leftJoin('projects', 'projects.id', 'environments.project_id')
      // A claim that has been given another environment wants nothing of this one.
      .leftJoin('claims', (join) =>
        join
          .onRef('claims.id', '=', 'environments.claim_id')
          .onRef('claims.environment_id', '=', 'environments.id'),
      )
      .select([
        'environments.id',
        'environments.name',
        'environments.owner_kind',
        'environments.desired_phase',
        'environments.spec_version',
        'environments.configuration',
        'environments.source',
        'environments.phase',
        'environments.unreachable',
        'environments.life',
        'claims.name as claim_name',
        'environments.claim_id',
        sql<number | null>`(claims.status->'binding'->>'attempt')::integer`.as('binding_attempt'),
        'projects.spec_version as project_version',
        sql<OnCrash | null>`projects.spec->>'onCrash'`.as('on_crash'),
        'runners.id as runner_id',
        'runners.epoch',
        // Of each only the key: what a runner tells of itself may be large.
        sql<string | null>`runners.status->'facts'->>'sealingKey'`.as('sealing_key'),
        sql<string>`organizations.status->>'userCertificateAuthority'`.as('user_certificate_authority'),
      ])
      .where('environments.phase', '<>', 'deleted')
  )
}

/** What becomes of a machine that crashes. A boot that is a trial of something shall show how that ends. */
export function onCrashOf({ owner_kind, on_crash }: Pick<OrderFacts, 'owner_kind' | 'on_crash'>): OnCrash {
  return owner_kind === null || owner_kind === 'warm-pool' ? (on_crash ?? 'restart') : 'fail'
}

/** Names what an order says: an agent that has the same is not sent it again. */
export function orderDigest(facts: OrderFacts): string {
  const { id, name, desired_phase, spec_version, configuration, project_version, runner_id, epoch } = facts
  const made = { id, name, desired_phase, spec_version, configuration, project_version, runner_id, epoch }
  const { sealing_key, user_certificate_authority, source } = facts
  // Absent for most, whose digests stay those of before there were snapshots.
  const from = source === null ? {} : { source }
  // An order of an older version says nothing of a crash, as if the machine were to fail.
  const restarts = onCrashOf(facts) === 'restart' ? { onCrash: 'restart' } : {}
  const named = bindingName(facts)
  const bound = named === null ? {} : { binding: named }
  return digestOfOrder({
    ...{ ...made, ...from, ...restarts, ...bound, ...lifeOrder(facts) },
    ...{ sealing_key, user_certificate_authority },
  })
}

/** What a runner is to have, by environment. */
export async function wantedOrders(
  queryable: Queryable,
  runnerId: string,
): Promise<Map<string, WantedOrder>> {
  const rows = await selectOrderFacts(queryable)
    .where('environments.runner_id', '=', runnerId)
    .orderBy('environments.id')
    .execute()
  return new Map(rows.map((row) => [row.id, { digest: orderDigest(row), reported: null }]))
}
