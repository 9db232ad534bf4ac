import type { WarmPool } from '@hearth/contract'
import type { Installation } from './installation.ts'

/** The members of a pool according to its rows, counted without any code of the control plane. */
export interface PoolRows {
  ready: number
  suspended: number
  stopped: number
  provisioning: number
  failed: number
  claimed: number
  tests: number
  /** The newest change and the id of every machine: the same value twice means that nothing happened in between. */
  versions: string
}

export async function readPoolRows(
  { controlPlane }: Pick<Installation, 'controlPlane'>,
  poolId: string,
): Promise<PoolRows> {
  const rows = await controlPlane.services.database
    .selectFrom('environments')
    .select(['id', 'phase', 'desired_phase', 'claim_id', 'unreachable', 'owner_kind'])
    .select(['spec_version', 'status_version'])
    .where('owner_id', '=', poolId)
    .where('owner_kind', 'in', ['warm-pool', 'warm-pool-test'])
    .orderBy('id')
    .execute()
  const present = rows.filter(
    ({ phase, desired_phase }) => phase !== 'deleted' && phase !== 'deleting' && desired_phase !== 'deleted',
  )
  const members = present.filter(({ owner_kind }) => owner_kind === 'warm-pool')
  const unclaimed = members.filter(({ claim_id }) => claim_id === null)
  const inPhase = (...phases: string[]) => unclaimed.filter(({ phase }) => phases.includes(phase)).length
  /** In this phase, and to stay in it. */
  const settled = (wanted: string) =>
    unclaimed.filter(
      ({ phase, desired_phase, unreachable }) => phase === wanted && desired_phase === wanted && !unreachable,
    ).length
  return {
    ready: settled('running'),
    suspended: settled('suspended'),
    stopped: settled('stopped'),
    provisioning: inPhase('pending', 'provisioning', 'starting', 'resuming'),
    failed: inPhase('failed'),
    claimed: members.length - unclaimed.length,
    tests: present.length - members.length,
    versions: JSON.stringify(rows.map((row) => [row.id, row.spec_version, row.status_version])),
  }
}

export type PoolCounts = Omit<PoolRows, 'tests' | 'versions'>

export function countsOf({
  ready,
  suspended,
  stopped,
  provisioning,
  failed,
  claimed,
}: PoolCounts | WarmPool['status']): PoolCounts {
  return { ready, suspended, stopped, provisioning, failed, claimed }
}
